# Times R's surveillance on the series of a CSV file (one column a series) and writes microseconds of processor time
# per series-week. Arguments: the file, the first and the last week judged (from 1).
suppressMessages(library(surveillance))
arguments <- commandArgs(trailingOnly = TRUE)
counts <- as.matrix(read.csv(arguments[1], check.names = FALSE))
range <- as.integer(arguments[2]):as.integer(arguments[3])
series <- sts(observed = counts, frequency = 52, start = c(2000, 1))

per_week <- function(run) {
  invisible(run(series[, 1]))  # once unmeasured: byte compilation
  used <- system.time(for (column in seq_len(ncol(counts))) run(series[, column]))
  1e6 * (used[["user.self"]] + used[["sys.self"]]) / (ncol(counts) * length(range))
}

flexible <- function(control) function(one) {
  suppressWarnings(farringtonFlexible(one, control = c(list(range = range, verbose = FALSE), control)))
}
noufaily <- list(noPeriods = 10, pastWeeksNotIncluded = 26, weightsThreshold = 2.58, pThresholdTrend = 1,
                 thresholdMethod = "nbPlugin", alpha = 0.01)
results <- c(
  "farrington-flexible, R's default" = per_week(flexible(list())),
  "farrington-flexible, Noufaily" = per_week(flexible(noufaily)),
  "ears-c1" = per_week(function(one) earsC(one, control = list(range = range, method = "C1")))
)
for (name in names(results)) cat(name, "\t", results[[name]], "\n", sep = "")
cat("version\t", R.version.string, ", surveillance ", as.character(packageVersion("surveillance")), "\n", sep = "")
