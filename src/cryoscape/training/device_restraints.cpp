#include "cryoscape/training/device_restraints.hpp"

#include <stdexcept>

#include "cryoscape/model/known_gradient.hpp"
#include "cryoscape/structure/cuda/compact.hpp"
#include "cryoscape/structure/cuda/restraints.hpp"
#ifdef CRYOSCAPE_CUDA
#include "cryoscape/projection/cuda/torch_launch.hpp"
#endif

namespace cryoscape::training {
namespace {

namespace gpu = structure::cuda;

constexpr double kMemory = 0.9;  ///< weight of earlier batches in the edges' running moments

template <class T>
torch::Tensor bytes_on(const std::vector<T>& values, torch::Device device) {
  const auto size = static_cast<std::int64_t>(values.size() * sizeof(T));
  return torch::from_blob(const_cast<T*>(values.data()), {size}, torch::kUInt8).clone().to(device);
}

template <class T>
const T* array_of(const torch::Tensor& bytes) {
  return reinterpret_cast<const T*>(bytes.data_ptr<std::uint8_t>());
}

std::int64_t groups_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

void launch(const gpu::RestraintArrays& arrays, const gpu::Stiffness& stiffness,
            const torch::Tensor& coordinates, const gpu::RestraintOutput& output) {
  const int batch = static_cast<int>(coordinates.size(0));
  const float* x = coordinates.data_ptr<float>();
  if (coordinates.is_cpu()) {
    gpu::evaluate_restraints_on_host(arrays, stiffness, batch, x, output);
    return;
  }
#ifdef CRYOSCAPE_CUDA
  if (coordinates.is_cuda()) {
    const cryoscape::cuda::TensorLaunch launch(coordinates);
    gpu::evaluate_restraints(arrays, stiffness, batch, x, output, launch.stream());
    return;
  }
#endif
  throw std::logic_error("no restraint kernel for the device " + coordinates.device().str());
}

}  // namespace

DeviceRestraints::DeviceRestraints(const structure::RestraintTopology& topology, torch::Device device)
    : beads_(static_cast<std::int64_t>(topology.beads)),
      edges_(static_cast<std::int64_t>(topology.edges.size())),
      clash_distance_(topology.clash_distance),
      edges_of_chain_(topology.chains) {
  const auto lists = gpu::compact(topology);
  start_ = bytes_on(lists.start, device);
  neighbours_ = bytes_on(lists.neighbours, device);
  pairs_ = bytes_on(lists.pairs, device);
  clash_radii_ = bytes_on(topology.clash_radii, device);
  own_limit_start_ = bytes_on(topology.own_limit_start, device);
  own_limits_ = bytes_on(lists.own_limits, device);
  for (const auto& edge : topology.edges) ++edges_of_chain_[edge.chain];
  const auto options = torch::TensorOptions(device).dtype(torch::kFloat64);
  mask_ = torch::ones({edges_}, options.dtype(torch::kFloat32));
  weight_ = torch::zeros({}, options);
  mean_ = torch::zeros({edges_}, options);
  square_ = torch::zeros({edges_}, options);
  batch_ = torch::zeros({1 + 2 * edges_}, options);
}

torch::Tensor DeviceRestraints::energy(const torch::Tensor& coordinates, const RestraintSchedule& schedule,
                                       structure::Moments moments_of_edges) {
  const auto [value, gradient] = evaluate(coordinates, schedule, moments_of_edges);
  return model::KnownGradient::apply(coordinates, value, gradient);
}

std::pair<torch::Tensor, torch::Tensor> DeviceRestraints::evaluate(const torch::Tensor& coordinates,
                                                                   const RestraintSchedule& schedule,
                                                                   structure::Moments moments_of_edges) {
  const torch::NoGradGuard no_gradients;
  const auto x = coordinates.detach().contiguous();
  const auto batch = x.size(0);
  update_mask(schedule.drop_fraction);
  auto gradient = torch::empty_like(x);
  auto energy = torch::empty({batch, groups_of(beads_, gpu::kEnergyBeads)}, x.options());
  auto moments = torch::empty({gpu::kMomentParts, 2, edges_}, x.options());
  auto finite = torch::empty({batch}, x.options().dtype(torch::kInt32));
  auto boxes = torch::empty({batch * groups_of(beads_, gpu::kBoxBeads), 6}, x.options());
  const gpu::RestraintArrays arrays{static_cast<int>(beads_),
                                    static_cast<int>(edges_),
                                    array_of<std::int32_t>(start_),
                                    array_of<gpu::Neighbour>(neighbours_),
                                    array_of<gpu::EdgePair>(pairs_),
                                    mask_.data_ptr<float>(),
                                    clash_distance_,
                                    array_of<float>(clash_radii_),
                                    array_of<std::int32_t>(own_limit_start_),
                                    array_of<gpu::OwnLimit>(own_limits_)};
  launch(arrays, {schedule.weights.bond, schedule.weights.edge, schedule.weights.clash}, x,
         {gradient.data_ptr<float>(), energy.data_ptr<float>(), moments.data_ptr<float>(),
          finite.data_ptr<std::int32_t>(), reinterpret_cast<gpu::BeadBox*>(boxes.data_ptr<float>())});
  if (moments_of_edges == structure::Moments::update) {
    batch_ = torch::cat(
        {finite.sum().to(torch::kFloat64).view({1}), moments.sum(0, false, torch::kFloat64).flatten()});
    if (!deferred_) absorb(batch_);
  }
  return {energy.sum(1), gradient};
}

void DeviceRestraints::absorb(const torch::Tensor& batch_moments) {
  const auto structures = batch_moments[0], some = structures > 0;
  weight_ = torch::where(some, kMemory * weight_ + structures, weight_);
  mean_ = torch::where(some, kMemory * mean_ + batch_moments.narrow(0, 1, edges_), mean_);
  square_ = torch::where(some, kMemory * square_ + batch_moments.narrow(0, 1 + edges_, edges_), square_);
}

std::vector<double> DeviceRestraints::batch_moments() const {
  const auto flat = batch_.to(torch::kCPU).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

void DeviceRestraints::absorb(std::span<const double> batch_moments) {
  absorb(torch::from_blob(const_cast<double*>(batch_moments.data()), {1 + 2 * edges_}, torch::kFloat64)
             .to(mean_.device()));
}

void DeviceRestraints::update_mask(double drop_fraction) {
  mask_.fill_(1);
  if (drop_fraction <= 0) return;
  const auto known = weight_.clamp_min(1);
  const auto variance = square_ / known - mean_ * mean_ / (known * known);
  std::int64_t begin = 0;
  for (const auto count : edges_of_chain_) {
    const auto drop =
        static_cast<std::int64_t>(static_cast<float>(drop_fraction) * static_cast<float>(count));
    if (drop > 0) {
      const auto loosest = std::get<1>(variance.narrow(0, begin, count).topk(drop));
      mask_.narrow(0, begin, count).index_fill_(0, loosest, 0);
    }
    begin += count;
  }
  // One structure has no variance.
  mask_ = torch::where(weight_ > 1, mask_, torch::ones_like(mask_));
}

std::vector<double> DeviceRestraints::state() const {
  const auto flat = torch::cat({weight_.view({1}), mean_, square_}).to(torch::kCPU).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

void DeviceRestraints::set_state(std::span<const double> flat) {
  if (flat.size() != static_cast<std::size_t>(1 + 2 * edges_))
    throw std::invalid_argument("DeviceRestraints: state of another model");
  const auto all = torch::from_blob(const_cast<double*>(flat.data()), {1 + 2 * edges_}, torch::kFloat64)
                       .clone()
                       .to(mean_.device());
  weight_ = all[0].clone();
  mean_ = all.narrow(0, 1, edges_).clone();
  square_ = all.narrow(0, 1 + edges_, edges_).clone();
}

}  // namespace cryoscape::training
