#include "cryoscape/density/neural_density.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/density/neural_learner.hpp"
#include "cryoscape/inference/module_state.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/training/archive_file.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/progress.hpp"

namespace cryoscape::density {
namespace {

constexpr double kWarmUp = 0.02;  ///< of all steps
constexpr std::uint64_t kOrderStream = std::uint64_t{1} << 63;

/// Members in the order of an epoch.
std::vector<std::uint32_t> shuffled(std::span<const std::uint32_t> members, std::uint64_t seed,
                                    std::uint64_t epoch) {
  std::vector<std::uint32_t> order(members.begin(), members.end());
  Philox random(seed, kOrderStream + epoch);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

/// Mean over the optics groups.
std::vector<double> mean_power(const std::vector<std::vector<double>>& noise_power) {
  std::vector<double> mean(noise_power.at(0).size());
  for (const auto& power : noise_power)
    for (std::size_t s = 0; s < mean.size(); ++s)
      mean[s] += power[s] / static_cast<double>(noise_power.size());
  return mean;
}

/// Up to the highest rate, then down to 0 along a cosine.
double learning_rate(double highest, std::uint64_t step, std::uint64_t steps) {
  const double done = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
  return highest * std::min(1.0, done / kWarmUp) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

/// Values as a tensor of their own, and back.
torch::Tensor tensor_of(std::span<const double> values) {
  return torch::from_blob(const_cast<double*>(values.data()), {static_cast<std::int64_t>(values.size())},
                          torch::kFloat64)
      .clone();
}
std::vector<double> values_of(torch::serialize::InputArchive& archive, const std::string& name) {
  torch::Tensor values;
  archive.read(name, values);
  values = values.to(torch::kFloat64);
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

/// What an archive must agree in with the density that goes on from it.
std::vector<double> identity(const particles::ImageGrid& grid, const NeuralOptions& options) {
  return {static_cast<double>(grid.box),
          grid.pixel_size,
          grid.diameter,
          static_cast<double>(options.epochs),
          static_cast<double>(options.batch),
          static_cast<double>(options.frequencies),
          options.learning_rate,
          static_cast<double>(options.seed)};
}

}  // namespace

NeuralDensity::NeuralDensity(const particles::ImageGrid& grid, int latent_dim, const NeuralOptions& options)
    : learner_(std::make_unique<Learner>(grid, latent_dim, options)) {}
NeuralDensity::~NeuralDensity() = default;
NeuralDensity::NeuralDensity(NeuralDensity&&) noexcept = default;

void NeuralDensity::train(const NeuralImages& images, const std::function<void()>& after_epoch) {
  auto& s = *learner_;
  if (images.latents.rows != images.set.size() || images.latents.columns != s.mean.size())
    fail("{} x {} latents do not fit {} particles and {} dimensions", images.latents.rows,
         images.latents.columns, images.set.size(), s.mean.size());
  if (s.scale.empty()) s.begin(images);
  const FrequencySampler sampler(s.grid.box, s.scale, mean_power(images.noise_power));
  const SliceMaker maker(images.set, s.grid, images.noise_power);
  const std::size_t count = images.members.size(),
                    per_epoch = (count + s.options.batch - 1) / s.options.batch;
  const std::uint64_t steps = per_epoch * static_cast<std::uint64_t>(s.options.epochs);
  Progress progress("learning a density", (steps - std::min(steps, s.step)) * s.options.batch, "images");
  std::vector<std::uint32_t> order;
  for (std::uint64_t ordered = ~std::uint64_t{0}; s.step < steps;) {
    throw_if_interrupted();
    const std::uint64_t epoch = s.step / per_epoch, first = s.step % per_epoch * s.options.batch;
    if (epoch != ordered) order = shuffled(images.members, s.options.seed, ordered = epoch);
    const auto batch = std::span(order).subspan(first, std::min(s.options.batch, count - first));
    const double loss =
        s.take_step(images, maker, sampler, batch, learning_rate(s.options.learning_rate, s.step, steps));
    progress.advance(batch.size(), fmt::format("{:.2f} nats per image", -loss));
    if (after_epoch && s.step % per_epoch == 0) after_epoch();
  }
}

std::vector<std::complex<float>> NeuralDensity::transform(std::span<const float> k,
                                                          std::span<const float> z) const {
  auto& s = *learner_;
  const std::size_t count = k.size() / 3, parts = (count + kPartRows - 1) / kPartRows;
  std::vector<std::complex<float>> out(count);
  if (s.scale.empty()) return out;
  for_parts(parts, [&](std::size_t part) {
    torch::NoGradGuard no_grad;
    const std::size_t first = part * kPartRows, rows = std::min(kPartRows, count - first);
    std::vector<float> points(k.begin() + 3 * first, k.begin() + 3 * (first + rows)), latents;
    std::vector<float> sign;
    for (std::size_t i = 0; i < rows; ++i)
      sign.push_back(turn_to_half_space(std::span<float, 3>(points.data() + 3 * i, 3)) ? -1.0f : 1.0f);
    s.append_latents(z, rows, latents);
    const auto values = s.field->forward(rows_of(points, 3), rows_of(latents, s.mean.size()));
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const at = points.data() + 3 * i;
      const double radius = std::hypot(at[0], at[1], at[2]);
      const auto scale = static_cast<float>(at_radius(s.scale, radius));
      const float* const value = values.data_ptr<float>() + 2 * i;
      out[first + i] = {scale * value[0], radius > 0 ? scale * sign[i] * value[1] : 0.0f};
    }
  });
  return out;
}

std::vector<float> NeuralDensity::map(std::span<const float> z) const {
  const int box = learner_->grid.box, columns = box / 2 + 1;
  std::vector<float> k;
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (int iz = 0; iz < box; ++iz)
    for (int iy = 0; iy < box; ++iy)
      for (int x = 0; x < columns; ++x, ++at) {
        const int ky = optics::row_frequency(iy, box), kz = optics::row_frequency(iz, box);
        if (4 * (x * x + ky * ky + kz * kz) >= box * box) continue;
        k.insert(k.end(), {static_cast<float>(x), static_cast<float>(ky), static_cast<float>(kz)});
        places.push_back(at);
      }
  const auto values = transform(k, z);
  std::vector<std::complex<float>> spectrum(optics::half_size3(box));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const int sum = static_cast<int>(k[3 * i] + k[3 * i + 1] + k[3 * i + 2]);
    spectrum[places[i]] = sum % 2 ? -values[i] : values[i];  // from the centre to the corner
  }
  std::vector<float> out(static_cast<std::size_t>(box) * box * box);
  optics::irfft3(box, spectrum.data(), out.data());
  return out;
}

void NeuralDensity::save(const std::filesystem::path& path) const {
  const auto& s = *learner_;
  torch::serialize::OutputArchive archive, optimiser;
  const auto field = inference::state_of(*s.field);
  for (std::size_t i = 0; i < field.size(); ++i) archive.write("field" + std::to_string(i), field[i]);
  s.optimiser.save(optimiser);
  archive.write("optimiser", optimiser);
  archive.write("identity", tensor_of(identity(s.grid, s.options)));
  archive.write("step", torch::tensor(static_cast<std::int64_t>(s.step)));
  archive.write("scale", tensor_of(s.scale));
  archive.write("mean", torch::tensor(s.mean));
  archive.write("gain", torch::tensor(s.gain));
  training::write_archive(path, archive);
}

void NeuralDensity::load(const std::filesystem::path& path) {
  auto& s = *learner_;
  try {
    torch::serialize::InputArchive archive, optimiser;
    archive.load_from(path.string());
    if (values_of(archive, "identity") != identity(s.grid, s.options))
      throw std::invalid_argument("of another density");
    auto field = inference::state_of(*s.field);
    for (std::size_t i = 0; i < field.size(); ++i) archive.read("field" + std::to_string(i), field[i]);
    inference::set_state(*s.field, field);
    archive.read("optimiser", optimiser);
    s.optimiser.load(optimiser);
    s.step = static_cast<std::uint64_t>(values_of(archive, "step").at(0));
    s.scale = values_of(archive, "scale");
    const auto mean = values_of(archive, "mean"), gain = values_of(archive, "gain");
    s.mean.assign(mean.begin(), mean.end());
    s.gain.assign(gain.begin(), gain.end());
  } catch (const std::exception&) {
    fail("{} is missing, damaged or of a density with other options: learn it again", path.string());
  }
}

}  // namespace cryoscape::density
