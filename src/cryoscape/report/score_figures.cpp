#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/report/colour_scale.hpp"
#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/markup.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kDrawnPoints = 3000, kClasses = 8, kBins = 80;
constexpr double kTail = 0.0005;      ///< share of particles that may lie beyond each end of an axis
constexpr double kColourTail = 0.01;  ///< share that has the last colour of each end
constexpr double kLightest = 0.85;    ///< of the scale: lighter points cannot be seen on white

/// A number per particle, shown as a colour.
struct Score {
  std::string name, label, caption;
  const std::vector<float>& values;
};

/// Without a likelihood in nats the correlation stands in its place.
bool correlates(const RunRecord& record) { return record.option("likelihood") == "correlation"; }

std::string evidence_label(const RunRecord& record) {
  return correlates(record) ? "Correlation with the prediction" : "Evidence of a particle (nats)";
}

std::size_t class_of(double value, Range range) {
  const double u = std::clamp((value - range.low) / range.width(), 0.0, 1.0);
  return std::min(kClasses - 1, static_cast<std::size_t>(u * static_cast<double>(kClasses)));
}

/// Classes with the most particles first, so that the rare are drawn on top.
void draw_scores(Panel& panel, const RunArrays& arrays, const Score& score, Range range) {
  const auto& [x, y] = arrays.embedding;
  const std::size_t drawn = std::min(kDrawnPoints, x.size());
  const double step = static_cast<double>(x.size()) / static_cast<double>(drawn);
  std::vector<std::vector<double>> xs(kClasses), ys(kClasses);
  for (std::size_t k = 0; k < drawn; ++k) {
    const auto row = static_cast<std::size_t>((static_cast<double>(k) + 0.5) * step);
    if (!std::isfinite(score.values[row])) continue;
    const auto c = class_of(score.values[row], range);
    xs[c].push_back(x[row]), ys[c].push_back(y[row]);
  }
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < kClasses; ++c) order.push_back(c);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return xs[a].size() > xs[b].size(); });
  for (const auto c : order)
    panel.points(xs[c], ys[c], Marker::circle,
                 scale_colour(kLightest * static_cast<double>(c) / static_cast<double>(kClasses - 1)), 2.8,
                 0.8);
}

Figure score_figure(const RunArrays& arrays, const Score& score) {
  const auto& [x, y] = arrays.embedding;
  const auto range = quantile_range(score.values, kColourTail, 1 - kColourTail);
  Panel panel(score.name + "-clip", {64, 14, 360, 360},
              {"Embedding 1 (no unit)", padded(quantile_range(x, kTail, 1 - kTail), 0.06), 6},
              {"Embedding 2 (no unit)", padded(quantile_range(y, kTail, 1 - kTail), 0.06), 6});
  draw_scores(panel, arrays, score, range);
  const auto bar =
      colour_bar(score.name + "-bar-clip", {510, 14, 16, 360}, score.label, range, kClasses, 0, kLightest);
  return {score.name,
          svg_document(560, 422, "Particles in the embedding, by " + score.caption, panel.svg() + bar),
          fmt::format("Particles in the plane of the embedding, coloured by {}; the first and last colours "
                      "take in the {:.0f} % at either end.",
                      score.caption, 100 * kColourTail)};
}

}  // namespace

Figure embedding_evidence_figure(const RunArrays& arrays, const RunRecord& record) {
  return score_figure(arrays,
                      {"embedding-evidence", evidence_label(record),
                       correlates(record) ? "the correlation of image and prediction, low for outliers"
                                          : "the evidence that there is a particle, low for outliers",
                       arrays.evidence});
}

Figure embedding_energy_figure(const RunArrays& arrays) {
  return score_figure(arrays, {"embedding-energy", "−ln p(z) of the prior (nats)",
                               "the prior's −ln p(z) at the posterior mean", arrays.energy});
}

Figure outlier_figure(const RunArrays& arrays, const RunRecord& record) {
  auto x = quantile_range(arrays.evidence, kTail, 1 - kTail);
  if (const auto at = record.landscape.outlier_threshold) x = {std::min(x.low, *at), std::max(x.high, *at)};
  x = padded(x, 0.05);
  const auto counts = count_values(arrays.evidence, x, kBins);
  Panel panel(
      "outliers-clip", {78, 24, 460, 250}, {evidence_label(record), x, 6},
      {"Particles", {0, 1.08 * std::max(1.0, *std::max_element(counts.begin(), counts.end()))}, 5, true});
  panel.histogram(x, counts, {"#bbbbbb", 1, ""}, true);
  panel.histogram(x, counts, {"#222222", 1, ""}, false);
  std::string caption =
      correlates(record)
          ? "Histogram of the correlations of images and predictions: the default score of outliers, which "
            "lie at the left. "
          : "Histogram of the evidence for a particle's molecule against noise or another object, in nats: "
            "the default score of outliers, which lie at the left. ";
  if (const auto at = record.landscape.outlier_threshold) {
    panel.vertical_note(*at, "threshold");
    const auto below =
        std::count_if(arrays.evidence.begin(), arrays.evidence.end(), [&](float e) { return e < *at; });
    caption += fmt::format(
        "{} particles lie below the threshold of {:.4g}, where a particle is more likely "
        "an outlier than not; the share of outliers is {:.3g} %.",
        grouped(below), *at, 100 * record.landscape.outlier_share);
  } else {
    caption += "No group of outliers stands apart, so there is no threshold.";
  }
  return {"outliers", svg_document(560, 326, "Scores of outliers", panel.svg()), caption};
}

}  // namespace cryoscape::report
