# Recomputes the stopping rules below, their exact type I errors and their operating
# characteristics, in base R: nothing is taken from the program that wrote this file but the
# numbers that are compared. Run: Rscript FILE. It ends with an error when anything differs.

# The statistic of each family at x evaluable and y = 0 .. x events; increasing in y.
statistic <- function(family, x, n, p0, par) {
  y <- 0:x
  upper <- function(limit) pbeta(limit, par$prior[1] + y, par$prior[2] + x - y, lower.tail = FALSE)
  switch(family,
    "pocock" = ifelse(y == 0, 0, pbinom(y - 1, x, p0)),
    "obrien-fleming" = (y - x * p0) / sqrt(n * p0 * (1 - p0)),
    "wang-tsiatis" = (y - x * p0) / ((x / n)^(par$delta - 0.5) * sqrt(x * p0 * (1 - p0))),
    "beta-binomial" = upper(p0),
    "chen-chaloner" = ifelse(round(upper(par$p1), 10) > par$nu, upper(p0), -Inf),
    "sprt" = y * log(par$p1 / p0) + (x - y) * log((1 - par$p1) / (1 - p0)),
    "maxsprt" = ifelse(y > x * p0,
      ifelse(y == 0, 0, y * log(y / (x * p0))) +
        ifelse(y == x, 0, (x - y) * log((x - y) / (x * (1 - p0)))), 0),
    "posterior" = upper(if (is.null(par$limit)) p0 else par$limit),
    stop("unknown family ", family))
}

# Events that stop at each look, for a constant that the statistic has to reach; look + 1: never.
boundary_at <- function(rows, looks, constant) {
  first <- vapply(rows, function(row) sum(row < constant), 0)
  pmin(pmax(first, 1), looks + 1)
}

# Exact characteristics of a boundary at an event rate, by recursion over the events so far.
characteristics <- function(n, looks, boundary, p) {
  state <- c(1, numeric(n)); stopped <- evaluated <- events <- 0; count <- 0:n
  for (x in seq_len(n)) {
    state <- state * (1 - p) + c(0, state[-(n + 1)]) * p
    k <- match(x, looks)
    if (!is.na(k)) {
      hit <- count >= boundary[k]
      stopped <- stopped + sum(state[hit]); evaluated <- evaluated + x * sum(state[hit])
      events <- events + sum(count[hit] * state[hit]); state[hit] <- 0
    }
  }
  c(stopped, evaluated + n * sum(state), events + sum(count * state))
}

# The boundary with the smallest constant whose exact type I error is at most alpha.
calibrate <- function(rule) {
  rows <- lapply(rule$looks, function(x) round(statistic(rule$family, x, rule$n, rule$p0, rule$par), 10))
  if (rule$family == "posterior") {
    strictly <- !is.null(rule$par$strictly) && rule$par$strictly == 1
    first <- vapply(rows, function(row) sum(if (strictly) row <= rule$par$theta else row < round(rule$par$theta, 10)), 0)
    return(pmin(pmax(first, 1), rule$looks + 1))
  }
  values <- c(sort(unique(unlist(rows))), Inf); low <- 1; high <- length(values)
  while (low < high) {
    middle <- (low + high) %/% 2
    error <- characteristics(rule$n, rule$looks, boundary_at(rows, rule$looks, values[middle]), rule$p0)[1]
    if (error <= rule$alpha + 1e-13) high <- middle else low <- middle + 1
  }
  boundary_at(rows, rule$looks, values[low])
}

# The same for a rule of person-time: counts are compared at the end of each stretch of it, in
# events that are expected at the acceptable hazard; the true hazard is ratio times as high.
time_characteristics <- function(ends, stops_within, stops_at_end, ratio) {
  most <- max(stops_within, stops_at_end); state <- c(1, numeric(most)); begin <- 0; count <- 0:most
  for (k in seq_along(ends)) {
    step <- dpois(count, ratio * (ends[k] - begin)); begin <- ends[k]
    state <- vapply(count, function(j) sum(state[1:(j + 1)] * step[(j + 1):1]), 0)
    for (limit in c(stops_within[k], stops_at_end[k])) if (limit > 0) state[count >= limit] <- 0
  }
  lost <- 1 - sum(state)
  lost
}

compare <- function(what, ours, theirs, tolerance) {
  if (length(ours) != length(theirs) || any(abs(ours - theirs) > tolerance))
    stop(what, ": ", paste(ours, collapse = " "), " here, ", paste(theirs, collapse = " "), " there")
}

rules <- list(
@RULES@
)

for (rule in rules) {
  cat(sprintf("%s (%s)\n", rule$id, rule$family))
  if (!is.null(rule$ends)) {
    found <- vapply(rule$ratios, function(r) time_characteristics(rule$ends, rule$stops_within, rule$stops_at_end, r), 0)
    compare("type I error", time_characteristics(rule$ends, rule$stops_within, rule$stops_at_end, 1), rule$attained, 1e-8)
    compare("probability of stopping", found, rule$p_stop, 1e-8)
    print(data.frame(hazard_ratio = rule$ratios, p_stop = round(found, 5)), row.names = FALSE)
    next
  }
  if (rule$family != "table") compare("boundary", calibrate(rule), rule$boundary, 0)
  attained <- characteristics(rule$n, rule$looks, rule$boundary, rule$p0)[1]
  compare("type I error", attained, rule$attained, 1e-9)
  found <- vapply(rule$rates, function(p) characteristics(rule$n, rule$looks, rule$boundary, p), numeric(3))
  compare("probability of stopping", found[1, ], rule$p_stop, 1e-9)
  compare("expected evaluated", found[2, ], rule$e_evaluated, 1e-6)
  compare("expected events", found[3, ], rule$e_events, 1e-6)
  cat(sprintf("  boundary the same; type I error %.5f\n", attained))
  print(data.frame(rate = rule$rates, p_stop = round(found[1, ], 5), evaluated = round(found[2, ], 2),
    events = round(found[3, ], 2)), row.names = FALSE)
}
cat(sprintf("%d rules recomputed: nothing differs\n", length(rules)))
