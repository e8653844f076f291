#include "cryoscape/projection/kernel.hpp"

#include <algorithm>

#include "cryoscape/projection/vectors.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::projection {
namespace {

bool same(const ProjectionSpec& a, const ProjectionSpec& b) {
  return a.box == b.box && a.pixel_size == b.pixel_size && a.sigma == b.sigma && a.cutoff == b.cutoff;
}

/// What one thread needs; grows once and is reused.
struct Scratch {
  WindowPlan plan;
  Frame drawn, gradient;
  BeadOrder order;
  Tables tables;
  std::vector<Frame> tangents;
  std::vector<float> velocities;

  void prepare(const ProjectionSpec& spec, const Placing& placing) {
    if (!same(plan.spec, spec) || plan.lanes != vector_lanes()) {
      plan = make_plan(spec, vector_lanes());
      drawn.prepare(plan);
      gradient.prepare(plan);
      tables = {};
    }
    order.resize(placing.amplitudes.size(), plan.lanes);
    place_beads(plan, placing, order);
    order.sort(plan, placing.amplitudes.size());
  }
};

Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

}  // namespace

void project_one(const ProjectionSpec& spec, std::span<const float> amplitudes, const float* coordinates,
                 const float* rotation, const float* shift, float* image) {
  auto& s = scratch();
  s.prepare(spec, {coordinates, rotation, shift, amplitudes});
  if (s.order.inside(s.plan)) {
    std::fill_n(image, static_cast<std::size_t>(spec.box) * spec.box, 0.0f);
    draw_beads(s.plan, s.order, s.tables, {image, spec.box, spec.box});
    return;
  }
  s.drawn.clear();
  draw_beads(s.plan, s.order, s.tables, s.drawn.canvas());
  s.drawn.write(spec.box, image);
}

void project_one_backward(const ProjectionSpec& spec, std::span<const float> amplitudes,
                          const float* coordinates, const float* rotation, const float* shift,
                          const float* image_gradient, float* coordinate_gradient) {
  auto& s = scratch();
  s.prepare(spec, {coordinates, rotation, shift, amplitudes});
  s.gradient.read(spec.box, image_gradient);
  std::fill_n(coordinate_gradient, 3 * amplitudes.size(), 0.0f);
  pull_beads(s.plan, s.order, rotation, s.tables, s.gradient, coordinate_gradient);
}

void project_one_tangents(const ProjectionSpec& spec, std::span<const float> amplitudes,
                          const float* coordinates, const float* rotation, const float* shift, int directions,
                          const float* displacements, float* images) {
  auto& s = scratch();
  const std::size_t beads = amplitudes.size();
  s.prepare(spec, {coordinates, rotation, shift, amplitudes});
  s.tangents.resize(std::max<std::size_t>(s.tangents.size(), directions));
  s.velocities.resize(2 * beads * directions);
  const float scale = s.plan.inverse_sigma2 / spec.pixel_size;
  for (std::size_t i = 0; i < beads * directions; ++i)
    for (int axis = 0; axis < 2; ++axis) {
      const float *r = rotation + 3 * axis, *u = displacements + 3 * i;
      s.velocities[2 * i + axis] = scale * (r[0] * u[0] + r[1] * u[1] + r[2] * u[2]);
    }
  const std::span<Frame> frames(s.tangents.data(), directions);
  for (auto& frame : frames) frame.prepare(s.plan);
  draw_tangents(s.plan, s.order, s.velocities, s.tables, frames);
  for (int k = 0; k < directions; ++k)
    frames[k].write(spec.box, images + static_cast<std::size_t>(k) * spec.box * spec.box);
}

void project(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch,
             const float* coordinates, const float* rotations, const float* shifts, float* images) {
  const std::size_t beads = amplitudes.size(), pixels = static_cast<std::size_t>(spec.box) * spec.box;
  parallel_for(batch, [&](std::size_t i) {
    project_one(spec, amplitudes, coordinates + 3 * beads * i, rotations + 9 * i, shifts + 2 * i,
                images + pixels * i);
  });
}

void project_tangents(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch,
                      const float* coordinates, const float* rotations, const float* shifts, int directions,
                      const float* displacements, float* images) {
  const std::size_t beads = amplitudes.size(), pixels = static_cast<std::size_t>(spec.box) * spec.box;
  parallel_for(batch, [&](std::size_t i) {
    project_one_tangents(spec, amplitudes, coordinates + 3 * beads * i, rotations + 9 * i, shifts + 2 * i,
                         directions, displacements + 3 * beads * directions * i,
                         images + pixels * directions * i);
  });
}

void project_backward(const ProjectionSpec& spec, std::span<const float> amplitudes, int batch,
                      const float* coordinates, const float* rotations, const float* shifts,
                      const float* image_gradients, float* coordinate_gradients) {
  const std::size_t beads = amplitudes.size(), pixels = static_cast<std::size_t>(spec.box) * spec.box;
  parallel_for(batch, [&](std::size_t i) {
    project_one_backward(spec, amplitudes, coordinates + 3 * beads * i, rotations + 9 * i, shifts + 2 * i,
                         image_gradients + pixels * i, coordinate_gradients + 3 * beads * i);
  });
}

}  // namespace cryoscape::projection
