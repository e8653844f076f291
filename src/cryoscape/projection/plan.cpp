#include "cryoscape/projection/vectors.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cryoscape::projection {
namespace {

// Narrower strips cost more passes over the image than wider ones cost idle columns.
constexpr int kLeastStep = 4;

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

void tabulate_profile(WindowPlan& plan) {
  plan.profile_first = -plan.reach - std::max(plan.step, kRowBlock);
  plan.profile_size = std::max(plan.columns, plan.table_rows) - plan.reach - plan.profile_first + plan.lanes;
  plan.profile.assign(static_cast<std::size_t>(kPhases + 1) * plan.profile_size, 0.0f);
  for (int phase = -kPhases / 2; phase <= kPhases / 2; ++phase)
    for (int i = -plan.reach; i <= plan.reach; ++i) {
      const double offset = i - static_cast<double>(phase) / kPhases;
      plan.profile[static_cast<std::size_t>(phase + kPhases / 2) * plan.profile_size +
                   (i - plan.profile_first)] =
          static_cast<float>(std::exp(-0.5 * plan.inverse_sigma2 * offset * offset));
    }
}

}  // namespace

WindowPlan make_plan(const ProjectionSpec& spec, int lanes) {
  WindowPlan plan;
  plan.spec = spec;
  plan.lanes = lanes;
  plan.reach = window_reach(spec);
  plan.width = 2 * plan.reach + 1;
  plan.window_floats = round_up(plan.width, lanes);
  plan.columns = plan.window_floats;
  if (plan.columns - plan.width + 1 < kLeastStep) plan.columns += lanes;
  plan.step = plan.columns - plan.width + 1;
  plan.strips = (spec.box - 1 + 2 * plan.reach) / plan.step + 1;
  plan.row_starts = spec.box + 2 * plan.reach;
  plan.table_rows = round_up(plan.width + kRowBlock - 1, std::max(lanes, kRowBlock));
  const float sigma = spec.sigma / spec.pixel_size;
  plan.inverse_sigma2 = 1 / (sigma * sigma);
  tabulate_profile(plan);
  return plan;
}

void Frame::prepare(const WindowPlan& plan) {
  left = round_up(2 * plan.reach, 16);
  rows = round_up(plan.spec.box, kRowBlock);
  stride = left + round_up(plan.spec.box + plan.columns, 16);
  memory.assign(static_cast<std::size_t>(stride) * rows, 0.0f);
}

void Frame::clear() { std::fill(memory.begin(), memory.end(), 0.0f); }

void Frame::read(int box, const float* image) {
  for (int y = 0; y < box; ++y)
    std::memcpy(at(0, y), image + static_cast<std::size_t>(y) * box, sizeof(float) * box);
}

void Frame::write(int box, float* image) const {
  for (int y = 0; y < box; ++y)
    std::memcpy(image + static_cast<std::size_t>(y) * box, at(0, y), sizeof(float) * box);
}

void BeadOrder::resize(std::size_t beads, int lanes) {
  // Placed and read in whole vectors.
  const std::size_t padded = beads + lanes;
  if (placed.size() >= padded) return;
  placed.resize(padded);
  keys.resize(padded);
  sorted.resize(padded);
}

void BeadOrder::sort(const WindowPlan& plan, std::size_t beads) {
  const std::int32_t outside = plan.strips * plan.row_starts;
  start.assign(static_cast<std::size_t>(outside) + 1, 0);
  for (std::size_t n = 0; n < beads; ++n) ++start[keys[n]];
  std::int32_t sum = 0;
  for (std::int32_t k = 0; k < outside; ++k) start[k] = sum += start[k];
  start[outside] = sum;
  // Filled from the back: start[k], one past the last bead of key k, moves to its first.
  for (std::size_t n = beads; n-- > 0;)
    if (keys[n] != outside) sorted[--start[keys[n]]] = placed[n];
}

bool BeadOrder::inside(const WindowPlan& plan) const {
  if (plan.spec.box % kRowBlock != 0) return false;
  const auto beads_before = [&](int strip) {
    return start[static_cast<std::size_t>(strip) * plan.row_starts];
  };
  // Strips from `first` to `last` − 1 lie inside.
  const int first = (2 * plan.reach + plan.step - 1) / plan.step;
  const int last = (plan.spec.box - plan.columns + 2 * plan.reach) / plan.step + 1;
  return last > first && beads_before(first) == 0 && beads_before(last) == start.back();
}

void Tables::resize(const WindowPlan& plan, std::size_t beads) {
  if (row_offsets.size() >= beads) return;
  const std::size_t padded = beads + plan.lanes;
  for (auto* axis : {&x, &y}) {
    axis->entry.resize(padded);
    axis->slope.resize(padded);
    axis->at.resize(padded);
    axis->offset.resize(padded);
  }
  first_rows.resize(padded);
  first_columns.resize(padded);
  columns.resize(beads * plan.columns);
  column_slopes.resize(beads * plan.columns);
  rows.resize(beads * plan.table_rows);
  row_slopes.resize(beads * plan.table_rows);
  moved_rows.resize(beads * plan.table_rows);
  row_offsets.resize(beads);
}

}  // namespace cryoscape::projection
