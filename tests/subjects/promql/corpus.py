"""Queries over the synthetic series that Prometheus and the evaluator must answer alike."""

SELECTORS = r"""
requests_total
requests_total{job="a"}
requests_total{job!="a"}
requests_total{job=~"a|b",instance!~".*:81"}
requests_total{zone=""}
requests_total{zone!=""}
requests_total{zone=~""}
requests_total{nothing=""}
requests_total{nothing=~".*"}
requests_total{instance=~"10.0.0.1"}
requests_total{instance=~"10.0.0.1.*"}
requests_total{instance=~"10\\.0\\.0\\.[12]:[[:digit:]]+"}
{__name__="requests_total"}
{__name__=~"twin_.", k="same"}
{__name__=~"level|constant"}
{__name__=~"level.*", __name__!="level"}
{__name__=~".*_total", __name__!~"gappy.*|by.*", job="b"}
{job="a", __name__!~".*total|.*bucket"}
no_such_metric
seldom
ended
late
flapping
infinite
odd_labels{text="say \"a\\b\""}
odd_labels{name=~"Gr.*e"}
odd_labels{path=~"/a/b\\.c.*"}
odd_labels{path=~"/a/b.c.*"}
odd_labels{text=~"two[^ ]*"}
odd_labels{name=~"(?i)PLAIN"}
odd_labels{name=~"\\w+"}
requests_total offset 1m
requests_total offset -1m
requests_total offset 7s500ms
requests_total @ 1795400100
requests_total @ 1795400100.5 offset 30s
requests_total @ start()
requests_total @ end() offset 1m
ended offset 2m
requests_total[1m]
level_of_trouble[45s] offset 10s
flapping[1m]
seldom[10m]
gappy_total[2m:20s]
sum(level)[1m:13s]
level[30s] @ 1795400200
"""

FUNCTIONS = r"""
rate(requests_total[1m])
rate(requests_total[30s])
rate(requests_total[10s])
rate(requests_total[1m] offset 20s)
rate(requests_total[1m] offset -20s)
rate(requests_total[1m] @ 1795400300)
rate(requests_total[1m] @ end())
rate(gappy_total[1m])
rate(gappy_total[5m])
rate(late[5m])
rate(ended[5m])
rate(seldom[10m])
rate(infinite[2m])
rate(level_of_trouble[1m])
rate(twin_a[7m])
increase(requests_total[1m])
increase(by_code_total{code="500"}[3m])
increase(huge[2m])
irate(requests_total[1m])
irate(gappy_total[3m])
irate(level_of_trouble[1m])
idelta(level[1m])
idelta(flapping[1m])
delta(level[1m])
delta(infinite[3m])
delta(level_of_trouble[50s])
changes(level[2m])
changes(flapping[2m])
changes(level_of_trouble[2m])
changes(constant[2m])
resets(requests_total[5m])
resets(level[1m])
resets(level_of_trouble[3m])
deriv(level[1m])
deriv(constant[1m])
deriv(huge[5m])
deriv(infinite[1m])
deriv(seldom[10m])
predict_linear(level[2m], 60)
predict_linear(level[2m] offset 30s, -60)
predict_linear(requests_total[1m] @ 1795400200, 100)
predict_linear(constant[2m], time())
avg_over_time(level[1m])
avg_over_time(level_of_trouble[2m])
avg_over_time(infinite[2m])
avg_over_time(huge[3m])
sum_over_time(level[1m])
sum_over_time(tiny[1m])
sum_over_time(level_of_trouble[30s])
min_over_time(level_of_trouble[1m])
max_over_time(level_of_trouble[1m])
max_over_time(infinite[2m])
count_over_time(gappy_total[1m])
count_over_time(flapping[1m])
last_over_time(gappy_total[2m])
last_over_time({__name__=~"twin_.",k="same"}[1m])
present_over_time(ended[1m])
stddev_over_time(level[1m])
stddev_over_time(constant[1m])
stdvar_over_time(level[2m])
stdvar_over_time(level_of_trouble[1m])
quantile_over_time(0.5, level[1m])
quantile_over_time(0.95, requests_total[2m])
quantile_over_time(0.3, level_of_trouble[2m])
quantile_over_time(-1, level[1m])
quantile_over_time(2, level[1m])
quantile_over_time(NaN, level[1m])
quantile_over_time(scalar(constant), level[1m])
absent(no_such_metric)
absent(no_such_metric{a="b",c=~"d",e!="f"})
absent(no_such_metric{a="b",a="b"})
absent(ended{k="v"})
absent(level)
absent(sum(no_such_metric{a="b"}))
absent_over_time(no_such_metric{a="b"}[1m])
absent_over_time(ended{k="v"}[1m])
absent_over_time(seldom[30s])
absent_over_time(rate(no_such_metric[1m])[5m:])
rate(requests_total[1m])[2m:15s]
max_over_time(rate(requests_total[1m])[3m:20s])
max_over_time(rate(requests_total[1m])[3m:])
min_over_time(sum(level)[2m:7s])
avg_over_time(level[2m:30s] offset 1m)
avg_over_time(level[2m:30s] @ 1795400250)
avg_over_time(level[2m:30s] @ end() offset 20s)
sum_over_time((level > 0)[1m:10s])
count_over_time(vector(1)[1m:7s])
sum_over_time(time()[1m:10s])
rate(sum by (job) (requests_total)[2m:10s])
max_over_time(max_over_time(level[30s])[1m:10s])
avg_over_time((level @ start())[1m:10s])
increase(level_of_trouble[2m:10s])
quantile_over_time(0.9, rate(requests_total[30s])[2m:10s])
deriv(rate(requests_total[1m])[2m:10s])
abs(level)
ceil(level)
floor(level)
round(level)
round(level, 0.1)
round(level, 5)
round(level_of_trouble, 0)
exp(level)
ln(level)
log2(level)
log10(requests_total)
sqrt(level)
sgn(level_of_trouble)
clamp(level, -1, 2)
clamp(level, 2, -1)
clamp(level, NaN, 2)
clamp_min(level_of_trouble, 0)
clamp_max(level_of_trouble, scalar(constant))
sin(level)
cos(level)
tan(level)
asin(level / 10)
acos(level / 10)
atan(level)
sinh(level / 10)
cosh(level / 10)
tanh(level)
asinh(level)
acosh(abs(level) + 1)
atanh(level / 100)
deg(level)
rad(level)
pi()
time()
timestamp(level)
timestamp(requests_total)
timestamp(ended)
timestamp(level offset 33s)
timestamp(level @ 1795400123)
timestamp((level))
timestamp(level + 1)
timestamp(sum(level))
vector(1)
vector(time())
scalar(constant)
scalar(level)
scalar(no_such_metric)
scalar(ended)
hour()
minute()
hour(when)
minute(when)
day_of_week(when)
day_of_month(when)
day_of_year(when)
days_in_month(when)
month(when)
year(when)
year(vector(1709210096))
day_of_week(timestamp(level))
sort(level)
sort_desc(level)
sort(level_of_trouble)
sort_desc(sum by (job) (requests_total))
label_replace(level, "host", "$1", "instance", "(.*):.*")
label_replace(level, "host", "${1}x$2", "instance", "(\\d+)\\.(\\d+).*")
label_replace(level, "host", "$name-$$", "instance", "(?P<name>[^:]+):.*")
label_replace(level, "job", "", "instance", ".*")
label_replace(level, "new", "x", "nothing", "")
label_replace(level, "new", "x", "instance", "10")
label_replace(level, "instance", "same", "instance", ".*")
label_replace(level, "__name__", "renamed_$1", "job", "(.*)")
label_replace(level, "new", "$1", "instance", "(")
label_replace(level, "zone", "none", "zone", "")
label_replace(rate(requests_total[1m]), "port", "$1", "instance", ".*:(.*)")
label_join(level, "all", "-", "job", "zone", "instance")
label_join(level, "job", "", "nothing")
label_join(level, "instance", ",", "job")
label_join(level, "none", "-")
"hello"
'it''s'
"tab\tand \u00e9"
`raw\n`
1
-1.5e3
0x1F
Inf
-Inf
NaN
"""

AGGREGATIONS = r"""
sum(level)
sum by (job) (level)
sum by (job, zone) (level)
sum without (instance) (level)
sum without (instance, zone, job) (level)
sum by (nothing) (level)
sum by () (level)
sum by (__name__) ({__name__=~"level|constant"})
sum without () ({__name__=~"level|constant"})
avg(level)
avg by (job) (level_of_trouble)
avg(infinite)
avg(huge)
min(level)
min by (job) (level_of_trouble)
max by (zone) (level)
max(level_of_trouble)
count(level)
count by (job) (by_code_total)
count(no_such_metric)
count by (zone) (gappy_total)
group(level)
group by (code) (by_code_total)
stddev(level)
stddev by (job) (requests_total)
stddev(constant)
stdvar(level)
stdvar without (instance) (by_code_total)
topk(2, level)
topk(1, level) by (job)
topk(100, level)
topk(0, level)
topk(-1, level)
topk(scalar(sum(level > bool 0)), level)
topk(2, level_of_trouble)
topk(1.9, level)
topk(NaN, level)
topk(Inf, level)
topk by (job) (1, rate(requests_total[1m]))
bottomk(2, level)
bottomk by (zone) (1, level)
count(bottomk(3, level_of_trouble))
quantile(0.5, level)
quantile(0.25, level_of_trouble)
quantile by (job) (0.9, by_code_total)
quantile(-0.1, level)
quantile(1.1, level)
quantile(NaN, level)
quantile(scalar(constant), level)
count_values("value", node_info)
count_values("value", round(level, 5))
count_values by (job) ("value", flapping)
count_values("job", node_info)
count_values without (instance, zone, version) ("v", level > bool 0)
count_values("value", level_of_trouble)
count_values("value", tiny)
count_values("value", huge * 1e6)
sum(rate(requests_total[1m]))
sum by (job) (rate(requests_total[1m]))
sum(sum by (job) (level))
sum(flapping)
max(ended or late)
sum by (job) (level > 0)
sum(level) by (job)
avg without(job)(level)
"""

HISTOGRAMS = r"""
histogram_quantile(0.9, took_seconds_bucket)
histogram_quantile(0.5, rate(took_seconds_bucket[1m]))
histogram_quantile(0.99, sum by (le) (rate(took_seconds_bucket[2m])))
histogram_quantile(0.99, sum by (le, job) (rate(took_seconds_bucket[1m])))
histogram_quantile(0.99, sum by (le, instance) (rate(took_seconds_bucket{instance!="odd"}[1m])))
histogram_quantile(0, rate(took_seconds_bucket[1m]))
histogram_quantile(1, rate(took_seconds_bucket[1m]))
histogram_quantile(-1, took_seconds_bucket)
histogram_quantile(1.5, took_seconds_bucket)
histogram_quantile(NaN, took_seconds_bucket)
histogram_quantile(0.5, signed_bucket)
histogram_quantile(0.1, signed_bucket)
histogram_quantile(0.7, signed_bucket)
histogram_quantile(0.5, level)
histogram_quantile(0.5, took_seconds_bucket{le="+Inf"})
histogram_quantile(0.5, took_seconds_bucket{le!="+Inf"})
histogram_quantile(scalar(constant), took_seconds_bucket)
histogram_quantile(0.5, sum(took_seconds_bucket) by (le)) > 1
histogram_quantile(0.9, {__name__=~".*_bucket"})
"""

OPERATORS = r"""
1 + 2 * 3 ^ 2 % 5
-1 ^ 2
2 ^ -1
1 / 0
0 / 0
-1 / 0
5 % 0
-7 % 3
1 == bool 1
1 < bool 2
NaN == bool NaN
3 atan2 4
level + 1
1 - level
level * level
level / level
level % 3
-7.5 % level
level ^ 2
2 ^ level
(level atan2 requests_total) + 0
-level
-(level + 1)
-{__name__=~"twin_.",k="same"}
+level
level > 0
0 < level
level > bool 0
level == level
level != level_of_trouble
level >= bool on (instance) level_of_trouble
level_of_trouble == level_of_trouble
level_of_trouble != level_of_trouble
level > level_of_trouble
level < bool level_of_trouble
requests_total / on (instance) level
requests_total / ignoring (zone) level
requests_total / ignoring (job, zone) level
requests_total * on (job) level
requests_total * on (instance) group_left node_info
requests_total * on (instance) group_left (version) node_info
requests_total * on (instance) group_left (version, zone) node_info
requests_total * on (instance) group_left (nothing, job) node_info
node_info * on (instance) group_right (version) requests_total
node_info * ignoring (version, zone) group_right () requests_total
by_code_total / ignoring (code) group_left requests_total
by_code_total / ignoring (code) requests_total
by_code_total / on (instance) group_left sum by (instance) (by_code_total)
sum by (instance) (by_code_total) / on (instance) group_right by_code_total
by_code_total > on (instance) group_left requests_total
requests_total < on (instance) group_right by_code_total
requests_total > bool on (instance) group_right by_code_total
level + on (job) group_left sum by (job) (level)
level + on (job) group_left (zone) level
level + on (nothing) level
level + on () level
sum(level) + on () sum(requests_total)
twin_a - twin_b
twin_a - on (k) twin_b
{__name__=~"twin_.",k="same"} + 1
{__name__=~"twin_.",k="same"} > 1
{__name__=~"twin_.",k="same"} > bool 1
{__name__=~"twin_.",k="same"} * on (k) group_left twin_a
twin_a * on (k) group_right {__name__=~"twin_.",k="same"}
{__name__=~"twin_.",k="same"} * on (k) twin_a
twin_a * on (k) {__name__=~"twin_.",k="same"}
rate({__name__=~"twin_.",k="same"}[1m])
abs({__name__=~"twin_.",k="same"})
sort({__name__=~"twin_.",k="same"})
level and requests_total
level and on (job) requests_total{job="a"}
level and ignoring (zone, instance) (requests_total > 500)
level and on () vector(1)
level and on () (vector(1) > 2)
level or requests_total
level or on (job) requests_total
level{job="a"} or level
level or vector(5)
ended or late
ended + 1 or late + 1
{__name__=~"ended|late"} + 1
sum(ended) or sum(late)
level unless requests_total{job="a"}
level unless on (job) requests_total{job="a"}
level unless on () no_such_metric
no_such_metric or level
no_such_metric and level
level and no_such_metric
level + no_such_metric
no_such_metric + level
(level > 0) or (level * 0)
level > 0 and level < 3 or level < -5 unless level < -8
sum(level > 0) / count(level)
(time() - 1795400000) * constant
time() - timestamp(level)
constant * scalar(sum(level))
scalar(constant) + scalar(constant)
scalar(constant) > bool 0
vector(1) + vector(2)
vector(1) == 1
1 == vector(1)
2 > vector(1)
100 * (1 - avg by (job) (rate(requests_total[1m])) / 30)
sum by (job) (rate(requests_total[1m])) / on (job) group_left sum by (job) (rate(by_code_total[1m]))
ceil(rate(requests_total[1m])) > bool 20
level offset 30s - level
delta(level[1m]) == level - level offset 1m
requests_total - on (instance) group_left (version) (node_info * 0)
"""

ERRORS = r"""
sum(
rate(level)
rate(level[1m]
level[1m] + 1
foo(level)
1 > 2
level and 1
"a" + 1
{}
{job=~".*"}
level{job=~"("}
level @ foo
sum by (job (level)
-"a"
-level[1m]
histogram_quantile(level, level)
topk(level, level)
label_replace(level, "a", "b")
count_values(1, level)
level offset 1x
level[1m:1m:1m]
level + group_left level
level + on (job) group_left (job) level
level and on (job) group_left level
level + bool level
level[0s]
label_replace(level, "a", "$1", "job", "(?=x)")
quantile("a", level)
scalar(1)
sum(1)
level{
level}
level{job="a}
level{job=a}
"""

PATTERN_LINES = r"""
a|b
a*
(a|b)+
a{2}
a{1,}b
a{0,2}?b?
a{,2}
a**
+a
[ab]+
[^a]
[]a.]+
[a-]+
[\\w.-]+
[^\\W]+
[[:alpha:]]+
[[:^alpha:]]
[[:upper:]]{2}
[z-a]
[a
\\w+
\\W
\\d
\\D+
\\S*
\\pL+
.
..
a.
a\\.
a\\.\\z
^a$
$^
^*b
(?i)ab
(?i:A)b
a(?i)b|É
(?-i)ab
(?s).+
(?m)^a$
(?P<n>a)b
(?=a)
(?!a).*
(a)\\1
\\Qa{2}\\E
\\Qa.\\E?
\\x41B
\\x{c9}
\\101\\102
\\y
\\baab\\b
a\\Bab
(
a)
()
(?:a)b
x_y
"""


def queries(text: str) -> list[str]:
    """Return the queries of a block, one a line."""
    return [line for line in text.splitlines() if line.strip()]


ALL = [query for text in (SELECTORS, FUNCTIONS, AGGREGATIONS, HISTOGRAMS, OPERATORS, ERRORS) for query in queries(text)]

WRONG_OVER_A_RANGE = frozenset({"predict_linear(requests_total[1m] @ 1795400200, 100)"})
"""Prometheus 2.42 forgets samples of a fixed window from step to step; at one moment it answers right."""

PATTERNS = [
    (pattern, value)
    for pattern in queries(PATTERN_LINES)
    for value in ("", "a", "b", "ab", "aab", "AB", "É", "1", "a1", "a.", "a-b", "a{2}", "x_y")
]
