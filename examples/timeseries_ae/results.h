/* What a recording's scores come to: a table, a picture, and measures where the truth is known. */
#ifndef TS_RESULTS_H
#define TS_RESULTS_H

#include "modelfile.h"
#include "series.h"

/** Writes scores.csv and scores.png to the folder settings->out. */
int ts_report_files(const ts_series *series, const ts_model *model, const ts_scores *scores,
                    const ts_settings *settings);

/** Prints what was found of the truth; nothing where it is not known. */
int ts_report_truth(const ts_series *series, const ts_scores *scores);

/** The picture alone: columns and what was given back, score, threshold, alarms shaded. */
int ts_picture(const ts_series *series, const ts_model *model, const ts_scores *scores, const char *stem);

#endif
