/* SPDX-License-Identifier: BSD-2-Clause */
/* --top as plain tables, one after the other: text, a chart, or JSON. */
#include <errno.h>

#include "view/top_private.h"

#define CHART_ROWS 10
#define CHART_WIDTH 40 /* of the longest bar where no terminal says how wide a line may be */
#define CHART_NAME_MAX 48

/* `3 opens/s`, with `tx 1.2MB/s` where the name comes first. */
static void put_flow(struct text *t, const char *name, double rate)
{
	text_puts(t, "  ");
	text_puts(t, name);
	text_char(t, ' ');
	columns_put_size_rate(t, rate);
	text_puts(t, "/s");
}

static void put_pace(struct text *t, const char *separator, double rate, const char *name)
{
	text_puts(t, separator);
	columns_put_rate(t, rate);
	text_char(t, ' ');
	text_puts(t, name);
}

void top_put_title(struct top *v, struct text *t)
{
	const struct ranking_row *total = &v->total;

	text_puts(t, "nettrace top");
	if (v->options->time_format != TIME_FORMAT_NONE) {
		text_puts(t, "  ");
		stamp_write(&v->stamp, t, v->time_ns, v->mono_ns, false);
	}
	if (v->mode[0]) {
		text_puts(t, "  ");
		text_puts(t, v->mode);
	}
	text_puts(t, "  by ");
	text_puts(t, ranking_by_name(v->list.by));
	text_puts(t, "  ");
	text_u64(t, total->connections);
	text_puts(t, total->connections == 1 ? " connection" : " connections");
	put_pace(t, "  ", total->open_rate, "opens/s");
	put_pace(t, " ", total->close_rate, "closes/s");
	put_pace(t, " ", total->fail_rate, "fails/s");
	put_flow(t, "tx", total->tx_rate);
	put_flow(t, "rx", total->rx_rate);
	if (v->lost) {
		text_puts(t, "  ");
		text_u64(t, v->lost);
		text_puts(t, " lost");
	}
}

void top_put_table(struct text *t, const struct ranking_list *l, size_t rows, bool header,
		   const struct column_context *x)
{
	size_t widths[COLUMNS_MAX];
	struct ranking_row row;

	columns_widths(l->by, widths);
	for (size_t i = 0; i < rows; i++) {
		ranking_list_row(l, i, &row);
		columns_measure(l->by, &row, widths, x);
	}
	if (header) {
		columns_put_line(t, l->by, NULL, widths, x);
		text_char(t, '\n');
	}
	for (size_t i = 0; i < rows; i++) {
		ranking_list_row(l, i, &row);
		columns_put_line(t, l->by, &row, widths, x);
		text_char(t, '\n');
	}
}

/* As JSON or CSV: a row a line. */
static int print_records(struct top *v)
{
	struct text *t = &v->view.output->text;
	struct ranking_row row;
	int err = 0;

	if (v->options->csv && !v->printed && !v->options->no_header)
		columns_put_csv_header(t);

	for (size_t i = 0; !err && i < v->list.count; i++) {
		ranking_list_row(&v->list, i, &row);
		if (v->options->csv)
			columns_put_csv(t, &row, v->time_ns, v->mono_ns);
		else
			columns_put_json(t, &row, v->time_ns, v->mono_ns);
		err = output_line(v->view.output);
	}
	return err;
}

static unsigned int chart_room(const struct top *v, size_t name_width)
{
	unsigned int used = (unsigned int)name_width + 12;

	if (v->options->columns <= used)
		return v->options->columns ? 1 : CHART_WIDTH;
	return v->options->columns - used;
}

/* The names, bars of the sort key, and its numbers. */
static void print_chart(struct top *v, const struct column_context *x)
{
	struct text *t = &v->view.output->text, name = { 0 };
	size_t rows = v->list.count < CHART_ROWS ? v->list.count : CHART_ROWS, width = 4;
	struct ranking_row row;
	double largest = 0;

	if (v->options->rows && v->options->rows < v->list.count)
		rows = v->options->rows;
	else if (v->options->rows)
		rows = v->list.count;
	for (size_t i = 0; i < rows; i++) {
		double value;

		ranking_list_row(&v->list, i, &row);
		value = column_value(top_sort(v, v->list.by), &row);
		if (value > largest)
			largest = value;
		name.length = 0;
		columns_put_name(&name, &row, x);
		if (!name.failed && text_width(name.data, name.length) > width)
			width = text_width(name.data, name.length);
	}
	text_done(&name);
	if (width > CHART_NAME_MAX)
		width = CHART_NAME_MAX;
	for (size_t i = 0; i < rows; i++) {
		size_t from = t->length;
		double value;

		ranking_list_row(&v->list, i, &row);
		value = column_value(top_sort(v, v->list.by), &row);
		columns_put_name(t, &row, x);
		text_pad(t, from, width);
		text_char(t, ' ');
		bar_put(t, largest > 0 ? value / largest : 0, chart_room(v, width),
			v->options->ascii);
		text_char(t, ' ');
		column_put_value(t, top_sort(v, v->list.by), &row, x);
		text_char(t, '\n');
	}
}

static int print_table(struct top *v)
{
	struct text *t = &v->view.output->text;
	struct column_context x;

	top_column_context(v, &x);
	if (v->printed)
		text_char(t, '\n');
	if (!v->options->no_header) {
		top_put_title(v, t);
		text_char(t, '\n');
	}
	if (v->options->chart)
		print_chart(v, &x);
	else
		top_put_table(t, &v->list, v->list.count, !v->options->no_header, &x);
	return output_line(v->view.output);
}

int top_batch_show(struct top *v)
{
	int err = v->options->json || v->options->csv ? print_records(v) : print_table(v);

	if (err)
		return err;
	v->printed++;
	return v->view.output->text.failed ? -ENOMEM : 0;
}
