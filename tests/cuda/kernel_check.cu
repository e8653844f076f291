// Holds the CUDA kernels against plain loops in double precision on random input, and prints their rates.
// Needs nvcc alone: ./dev cuda builds and runs it. Exit code 0: all agree; 1: one does not; 77: no GPU.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "cryoscape/projection/cuda/project.hpp"
#include "cryoscape/structure/cuda/restraints.hpp"
#include "cryoscape/training/cuda/adamw.hpp"
#include "scene.hpp"

namespace gpu_restraints = cryoscape::structure::cuda;
using namespace cryoscape;
using namespace cryoscape::kernel_check;

namespace {

constexpr int kSkipped = 77;

void require(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}

/// An array in device memory.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(std::size_t count) : count_(count) {
    require(cudaMalloc(&data_, std::max<std::size_t>(1, count) * sizeof(T)), "cudaMalloc");
    require(cudaMemset(data_, 0xff, count * sizeof(T)), "cudaMemset");  // NaN: all must be overwritten
  }
  explicit OnDevice(const std::vector<T>& values) : OnDevice(values.size()) {
    require(cudaMemcpy(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice), "copy to the GPU");
  }
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  T* get() const { return data_; }
  std::vector<T> read() const {
    std::vector<T> values(count_);
    require(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost),
            "copy from the GPU");
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

int failures = 0;

/// ‖a − b‖ / ‖b‖ below the limit.
template <class A>
void compare(const char* what, const std::vector<A>& a, const std::vector<double>& b, double limit) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) difference += (a[i] - b[i]) * (a[i] - b[i]), size += b[i] * b[i];
  const double relative = std::sqrt(difference / std::max(size, 1e-300));
  const bool good = a.size() == b.size() && relative < limit;
  std::printf("  %-44s %.1e %s\n", what, relative, good ? "agrees" : "DIFFERS");
  if (!good) ++failures;
}

template <class T>
void expect_repeats(const char* what, const std::vector<T>& a, const std::vector<T>& b) {
  const bool same = a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
  std::printf("  %-44s %s\n", what, same ? "same bits again" : "OTHER BITS THE SECOND TIME");
  if (!same) ++failures;
}

/// Milliseconds of one launch, the median of several.
template <class Launch>
double milliseconds(Launch&& launch) {
  cudaEvent_t begin, end;
  require(cudaEventCreate(&begin), "event"), require(cudaEventCreate(&end), "event");
  std::vector<float> times;
  for (int turn = 0; turn < 12; ++turn) {
    require(cudaEventRecord(begin), "event");
    launch();
    require(cudaEventRecord(end), "event"), require(cudaEventSynchronize(end), "kernel");
    times.push_back(0);
    require(cudaEventElapsedTime(&times.back(), begin, end), "event");
  }
  cudaEventDestroy(begin), cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// A scene in device memory.
struct DeviceScene {
  OnDevice<float> amplitudes, coordinates, rotations, shifts, images, gradients;
  projection::cuda::DeviceBeads beads;

  explicit DeviceScene(const Scene& s)
      : amplitudes(s.amplitudes),
        coordinates(s.coordinates),
        rotations(s.rotations),
        shifts(s.shifts),
        images(static_cast<std::size_t>(s.batch) * s.spec.box * s.spec.box),
        gradients(s.coordinates.size()),
        beads{s.batch, s.beads, amplitudes.get(), coordinates.get(), rotations.get(), shifts.get()} {}
};

std::vector<float> noise(std::size_t count) {
  Philox random(5);
  std::vector<float> values(count);
  for (float& v : values) v = static_cast<float>(random.normal());
  return values;
}

void check_projection() {
  std::printf("projection\n");
  const Scene scenes[] = {{{64, 1.5f, 2}, 3, 500, 1},  {{128, 1, 2}, 2, 1000, 2}, {{30, 3, 2}, 4, 17, 3},
                          {{48, 0.7f, 3.5f}, 2, 9, 4}, {{36, 1, 7}, 2, 6, 5},     {{100, 2, 2}, 2, 300, 6}};
  for (const Scene& s : scenes) {
    DeviceScene device(s);
    const auto outer = noise(static_cast<std::size_t>(s.batch) * s.spec.box * s.spec.box);
    const OnDevice<float> outer_there(outer);
    char name[64];
    std::vector<float> images[2], gradients[2];
    for (int turn = 0; turn < 2; ++turn) {
      projection::cuda::project(s.spec, device.beads, device.images.get(), nullptr);
      projection::cuda::project_backward(s.spec, device.beads, outer_there.get(), device.gradients.get(),
                                         nullptr);
      images[turn] = device.images.read(), gradients[turn] = device.gradients.read();
    }
    std::snprintf(name, sizeof name, "images, box %d, %d beads", s.spec.box, s.beads);
    compare(name, images[0], drawn(s), 1e-5);
    compare("  their gradient", gradients[0], pulled(s, outer), 2e-5);
    expect_repeats("  images", images[0], images[1]);
    expect_repeats("  their gradient", gradients[0], gradients[1]);
  }
}

/// A chain in device memory.
struct DeviceChain {
  OnDevice<std::int32_t> start, own_limit_start, finite;
  OnDevice<gpu_restraints::Neighbour> neighbours;
  OnDevice<gpu_restraints::EdgePair> edges;
  OnDevice<gpu_restraints::OwnLimit> own_limits;
  OnDevice<float> mask, radii, coordinates, gradient, energy, moments;
  OnDevice<gpu_restraints::BeadBox> boxes;
  gpu_restraints::RestraintArrays arrays;
  gpu_restraints::RestraintOutput output;

  explicit DeviceChain(const Chain& c)
      : start(c.start),
        own_limit_start(c.own_limit_start),
        finite(c.batch),
        neighbours(c.neighbours),
        edges(c.edges),
        own_limits(c.own_limits),
        mask(c.mask),
        radii(c.radii),
        coordinates(c.coordinates),
        gradient(c.coordinates.size()),
        energy(static_cast<std::size_t>(c.batch) * parts(c.beads, gpu_restraints::kEnergyBeads)),
        moments(2 * c.edges.size() * gpu_restraints::kMomentParts),
        boxes(static_cast<std::size_t>(c.batch) * parts(c.beads, gpu_restraints::kBoxBeads)),
        arrays{c.beads,
               static_cast<int>(c.edges.size()),
               start.get(),
               neighbours.get(),
               edges.get(),
               mask.get(),
               Chain::kClash,
               radii.get(),
               own_limit_start.get(),
               own_limits.get()},
        output{gradient.get(), energy.get(), moments.get(), finite.get(), boxes.get()} {}

  static std::size_t parts(int count, int size) {
    return static_cast<std::size_t>((count + size - 1) / size);
  }
};

void check_restraints() {
  std::printf("restraints\n");
  const gpu_restraints::Stiffness stiffness{2, 0.05f, 3};
  for (const int beads : {20, 300, 777}) {
    Chain chain(beads, 9, 11 + beads);
    const int broken = 4;  // one structure is not finite
    chain.coordinates[3 * static_cast<std::size_t>(beads) * broken + 7] =
        std::numeric_limits<float>::quiet_NaN();
    DeviceChain device(chain);
    gpu_restraints::evaluate_restraints(device.arrays, stiffness, chain.batch, device.coordinates.get(),
                                        device.output, nullptr);
    const auto gradient = device.gradient.read(), parts = device.energy.read(),
               moments = device.moments.read();
    gpu_restraints::evaluate_restraints(device.arrays, stiffness, chain.batch, device.coordinates.get(),
                                        device.output, nullptr);
    const std::size_t edges = chain.edges.size(), values = 3 * static_cast<std::size_t>(beads),
                      energy_parts = parts.size() / chain.batch;
    std::vector<double> expected_gradient(gradient.size()), expected_energy, energy, expected(2 * edges),
        found(2 * edges);
    for (int b = 0; b < chain.batch; ++b) {
      double sum = 0;
      for (std::size_t p = 0; p < energy_parts; ++p) sum += parts[energy_parts * b + p];
      if (b == broken) {
        if (!std::isnan(sum)) ++failures, std::printf("  the broken structure has an energy: DIFFERS\n");
        continue;
      }
      energy.push_back(sum);
      expected_energy.push_back(chain.energy(b, stiffness, &expected_gradient[values * b], expected.data(),
                                             expected.data() + edges));
    }
    for (std::size_t i = 0; i < moments.size(); ++i) found[i % (2 * edges)] += moments[i];
    std::printf("  %d beads, %zu edges\n", beads, edges);
    compare("  energy", energy, expected_energy, 1e-5);
    compare("  gradient", gradient, expected_gradient, 1e-4);
    compare("  moments of the edges", found, expected, 1e-4);
    expect_repeats("  gradient", gradient, device.gradient.read());
    expect_repeats("  moments", moments, device.moments.read());
  }
}

void check_adamw() {
  std::printf("AdamW\n");
  const auto p = noise(10000);
  std::vector<float> g(p.rbegin(), p.rend()), first(p.size(), 0.1f), second(p.size(), 0.2f);
  const training::AdamWStep step{0.9f, 0.999f, 0.01f, 1.3f, 1e-8f, 0.98f, 0.5f};
  std::vector<double> expected;
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double gradient = 0.5 * g[k], m = 0.9 * 0.1 + 0.1 * gradient,
                 v = 0.999 * 0.2 + 0.001 * gradient * gradient;
    expected.push_back(0.98 * p[k] - 0.01 * m / (std::sqrt(v) * 1.3 + 1e-8));
  }
  const OnDevice<float> parameters(p), gradients(g), one(first), two(second);
  training::cuda::adamw_update(step, p.size(), parameters.get(), gradients.get(), one.get(), two.get(),
                               nullptr);
  compare("parameters", parameters.read(), expected, 1e-6);
}

void print_rates() {
  constexpr int kBatch = 256;
  std::printf("rates, batch of %d, box 128, sigma 2 pixels\n", kBatch);
  for (const int beads : {200, 1000, 4000}) {
    const Scene scene({128, 1, 2}, kBatch, beads, 9);
    DeviceScene device(scene);
    const double draw = milliseconds(
        [&] { projection::cuda::project(scene.spec, device.beads, device.images.get(), nullptr); });
    const double pull = milliseconds([&] {
      projection::cuda::project_backward(scene.spec, device.beads, device.images.get(),
                                         device.gradients.get(), nullptr);
    });
    const Chain chain(beads, kBatch, 10);
    DeviceChain there(chain);
    const double restrain = milliseconds([&] {
      gpu_restraints::evaluate_restraints(there.arrays, {1, 0.1f, 1}, kBatch, there.coordinates.get(),
                                          there.output, nullptr);
    });
    const double millions = 1e-3 * kBatch * beads;
    std::printf(
        "  %4d beads: forward %.3f ms (%.0f M beads/s), backward %.3f ms (%.0f M beads/s), "
        "restraints %.3f ms (%zu edges)\n",
        beads, draw, millions / draw, pull, millions / pull, restrain, chain.edges.size());
  }
}

}  // namespace

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::printf("no CUDA device: kernels compiled, not run\n");
    return kSkipped;
  }
  cudaDeviceProp properties;
  require(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  std::printf("%s, compute capability %d.%d\n", properties.name, properties.major, properties.minor);
  check_projection();
  check_restraints();
  check_adamw();
  if (properties.major > 0) print_rates();  // not the emulator
  std::printf(failures ? "%d comparisons failed\n" : "all kernels agree with plain loops\n", failures);
  return failures ? 1 : 0;
}
