#include <algorithm>
#include <cmath>

#include "cryoscape/report/figures.hpp"
#include "cryoscape/report/svg_plot.hpp"

namespace cryoscape::report {
namespace {

constexpr std::size_t kMarkedEpochs = 40;  ///< with more epochs lines go without markers

/// A column of the record. Means over an epoch stand at its middle, values at its end at its end.
struct Curve {
  std::vector<double> x, y;
};
Curve curve(const TrainingRecord& training, double EpochRecord::*value, double shift = 0) {
  Curve out;
  for (const auto& epoch : training.epochs)
    out.x.push_back(epoch.epoch + shift), out.y.push_back(epoch.*value);
  return out;
}

/// The range of what follows the first steep epochs, so that these do not flatten the rest.
Range settled_range(std::vector<const Curve*> curves) {
  std::vector<double> values;
  for (const auto* c : curves) {
    const std::size_t n = c->y.size(), skip = n > 4 ? std::max<std::size_t>(1, n / 10) : 0;
    values.insert(values.end(), c->y.begin() + static_cast<std::ptrdiff_t>(skip), c->y.end());
  }
  return padded(range_of(values), 0.07);
}

Range epoch_range(const TrainingRecord& training) {
  return {0, 1.02 * std::max(1.0, training.epochs.back().epoch)};
}

/// The end of the KL term's warm-up: the first epoch whose weight is the last one's.
double warm_up_end(const TrainingRecord& training) {
  for (const auto& epoch : training.epochs)
    if (epoch.beta >= training.epochs.back().beta) return epoch.epoch;
  return 0;
}

void draw(Panel& panel, const Curve& c, const Stroke& stroke, Marker marker) {
  panel.line(c.x, c.y, stroke);
  if (c.x.size() <= kMarkedEpochs) panel.points(c.x, c.y, marker, stroke.colour, 5, 1);
}

bool any_outside(const Curve& c, Range range) {
  return std::any_of(c.y.begin(), c.y.end(), [&](double v) { return v < range.low || v > range.high; });
}

const char* clipped_note(bool clipped) { return clipped ? " The first epochs run out of the axes." : ""; }

}  // namespace

Figure bound_figure(const TrainingRecord& training) {
  const Stroke held_out_stroke{series_colour(1), 1.8, ""}, training_stroke{series_colour(0), 1.8, "6 3"};
  const auto inside = curve(training, &EpochRecord::bound, -0.5);
  const auto held_out = curve(training, &EpochRecord::held_out_bound);
  const auto range = settled_range({&inside, &held_out});
  std::vector<double> low, high;
  for (const auto& epoch : training.epochs) {
    low.push_back(epoch.held_out_bound - epoch.held_out_error);
    high.push_back(epoch.held_out_bound + epoch.held_out_error);
  }
  Panel panel("bound-clip", {86, 22, 370, 250}, {"Epoch", epoch_range(training), 6, true},
              {"Bound (nats per particle)", range, 6});
  panel.band(held_out.x, low, high, held_out_stroke.colour);
  draw(panel, inside, training_stroke, Marker::square);
  draw(panel, held_out, held_out_stroke, Marker::circle);
  if (training.epochs.front().beta < training.epochs.back().beta)
    panel.vertical_note(warm_up_end(training), "KL weight full");
  const bool has_held_out =
      std::any_of(held_out.y.begin(), held_out.y.end(), [](double v) { return std::isfinite(v); });
  std::vector<LegendEntry> entries{{"training", training_stroke}};
  if (has_held_out) entries.push_back({"held out", held_out_stroke});
  const bool clipped = any_outside(inside, range) || any_outside(held_out, range);
  return {
      "bound",
      svg_document(560, 325, "Training and held-out bound by epoch", panel.svg() + legend(466, 22, entries)),
      std::string("Evidence lower bound of the training particles (mean over each epoch's logged steps)") +
          (has_held_out
               ? " and of the particles kept from training (at each epoch's end; band: one standard error)."
               : ".") +
          clipped_note(clipped)};
}

Figure terms_figure(const TrainingRecord& training) {
  struct Term {
    const char *id, *label;
    double EpochRecord::*value;
  };
  const Term terms[] = {{"kl", "KL (nats)", &EpochRecord::kl},
                        {"restraint", "Restraint (kT)", &EpochRecord::restraint},
                        {"chi", "χ²", &EpochRecord::chi_square}};
  std::string content;
  bool clipped = false;
  for (int k = 0; k < 3; ++k) {
    const auto c = curve(training, terms[k].value, -0.5);
    // The KL term grows from nothing while its weight rises; the others fall from a height that hides the
    // rest.
    const auto range = k == 0 ? padded(range_of(c.y), 0.07) : settled_range({&c});
    clipped = clipped || any_outside(c, range);
    const bool last = k == 2;
    Panel panel(std::string(terms[k].id) + "-clip", {86, 12 + 92.0 * k, 460, 78},
                {"Epoch", epoch_range(training), 6, true, last}, {terms[k].label, range, 3});
    draw(panel, c, {series_colour(static_cast<std::size_t>(k)), 1.8, ""},
         series_marker(static_cast<std::size_t>(k)));
    content += panel.svg();
  }
  return {
      "terms", svg_document(560, 325, "Terms of the objective by epoch", content),
      std::string(
          "Terms of the objective, means over each epoch's logged steps: divergence of the "
          "posteriors from the prior, "
          "restraint energy of the decoded structures, and χ² of the images per component (1 where the noise "
          "model fits).") +
          clipped_note(clipped)};
}

}  // namespace cryoscape::report
