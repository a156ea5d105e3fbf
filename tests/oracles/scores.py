"""Every score once more, from its definition, in plain Python loops: slow, and shares no code."""

from itertools import permutations
from math import log2, sqrt


def pieces(matched, true):
    """The stretches of frames somebody labelled, as (matched, true) lists."""
    found, open_ = [], False
    for m, t in zip(matched, true, strict=True):
        if t < 0:
            open_ = False
            continue
        if not open_:
            found.append(([], []))
            open_ = True
        found[-1][0].append(m)
        found[-1][1].append(t)
    return found


def runs(stretches):
    """(start, stop, label) of each maximal run; a run ends where a stretch ends."""
    found, frame = [], 0
    for stretch in stretches:
        for place, label in enumerate(stretch):
            if place > 0 and stretch[place - 1] == label:
                found[-1][1] = frame + 1
            else:
                found.append([frame, frame + 1, label])
            frame += 1
    return [tuple(run) for run in found]


def segments(matched, true):
    """Runs of the answer and runs of the truth, for one recording."""
    stretches = pieces(matched, true)
    return runs([m for m, _ in stretches]), runs([t for _, t in stretches])


def best_total(overlap):
    """Most frames any one-to-one pairing of rows and columns can pair, by trying all."""
    n_rows, n_columns = len(overlap), len(overlap[0])
    if n_rows > n_columns:
        return best_total([list(column) for column in zip(*overlap, strict=True)])
    return max(
        sum(overlap[row][column] for row, column in enumerate(chosen))
        for chosen in permutations(range(n_columns), n_rows)
    )


def mof(matched, true):
    right = total = 0
    for m, t in zip(matched, true, strict=True):
        for a, b in zip(m, t, strict=True):
            if b >= 0:
                total += 1
                right += a == b
    return 100 * right / total


def levenshtein(a, b):
    """Edits that turn one list into the other, by the textbook table."""
    table = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
    return table[-1][-1]


def edit(matched, true):
    scores = []
    for m, t in zip(matched, true, strict=True):
        answer, truth = ([label for *_, label in run] for run in segments(m, t))
        if truth:
            worst = max(len(answer), len(truth))
            scores.append(100 * (1 - levenshtein(answer, truth) / worst))
    return sum(scores) / len(scores)


def f1(matched, true, percent):
    hits = false_alarms = misses = 0
    for m, t in zip(matched, true, strict=True):
        answer, truth = segments(m, t)
        taken = [False] * len(truth)
        for start, stop, label in answer:
            best, best_iou = None, 0.0
            for place, (true_start, true_stop, true_label) in enumerate(truth):
                shared = max(0, min(stop, true_stop) - max(start, true_start))
                iou = shared / (stop - start + true_stop - true_start - shared)
                if label == true_label and iou > best_iou:
                    best, best_iou = place, iou
            if best is not None and best_iou >= percent / 100 and not taken[best]:
                taken[best] = True
                hits += 1
            else:
                false_alarms += 1
        misses += taken.count(False)
    if hits == 0:
        return 0.0
    precision, recall = hits / (hits + false_alarms), hits / (hits + misses)
    return 100 * 2 * precision * recall / (precision + recall)


def histogram(lengths, n_bins, bin_frames=20):
    """Share of the lengths in each bin [k * width, (k + 1) * width)."""
    return [
        sum(k * bin_frames <= length < (k + 1) * bin_frames for length in lengths) / len(lengths)
        for k in range(n_bins)
    ]


def jensen_shannon(p, q):
    """Distance, base 2."""
    divergence = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        for share in (a, b):
            if share > 0:
                divergence += share * log2(share / middle) / 2
    return sqrt(max(divergence, 0.0))


def jsd(matched, true, activities):
    distances, frames = {}, {}
    for m, t, activity in zip(matched, true, activities, strict=True):
        answer, truth = ([stop - start for start, stop, _ in run] for run in segments(m, t))
        if truth:
            n_bins = max(answer + truth) // 20 + 1
            distance = jensen_shannon(histogram(answer, n_bins), histogram(truth, n_bins))
            distances.setdefault(activity, []).append(distance)
            frames[activity] = frames.get(activity, 0) + sum(truth)
    weighted = sum(frames[a] * sum(d) / len(d) for a, d in distances.items())
    return 100 * weighted / sum(frames.values())


def all_scores(matched, true, activities):
    """Each score of the paper by its name in the table."""
    return {
        "mof": mof(matched, true),
        "edit": edit(matched, true),
        **{f"f1@{percent}": f1(matched, true, percent) for percent in (10, 25, 50)},
        "jsd": jsd(matched, true, activities),
    }
