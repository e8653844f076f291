#include "cryoscape/simulation/imaging.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::simulation {
namespace {

constexpr double kColourLength = 20;  // Å
constexpr double kColourFloor = 0.25;
// Step of the central difference for derivatives, in Å of the fastest bead: small against σ, large against
// float rounding.
constexpr double kDifferenceStep = 0.1;

}  // namespace

void cut_middle(int box, std::span<const float> wide, std::span<float> image) {
  const std::size_t side = static_cast<std::size_t>(box), margin = side / 2;
  for (std::size_t y = 0; y < side; ++y)
    std::copy_n(wide.data() + (y + margin) * 2 * side + margin, side, image.data() + y * side);
}

double variance(std::span<const float> image) {
  double sum = 0, square = 0;
  for (const float v : image) sum += v, square += double{v} * v;
  const auto n = static_cast<double>(image.size());
  return std::max(0.0, square / n - sum / n * (sum / n));
}

Imager::Imager(const projection::ProjectionSpec& spec, const optics::OpticsGroup& optics)
    : spec_(spec), wide_(spec), optics_(optics) {
  wide_.box = 2 * spec.box;
}

void Imager::image_beads(std::span<const float> amplitudes, std::span<const float> coordinates,
                         const Pose& pose, std::vector<float>& wide) const {
  const auto rotation = geometry::rotation_from_euler(pose.rot, pose.tilt, pose.psi);
  std::array<float, 9> r;
  std::copy(rotation.begin(), rotation.end(), r.begin());
  const float shift[2] = {static_cast<float>(pose.shift_x), static_cast<float>(pose.shift_y)};
  wide.resize(static_cast<std::size_t>(wide_.box) * wide_.box);
  projection::project_one(wide_, amplitudes, coordinates.data(), r.data(), shift, wide.data());
}

void Imager::apply_ctf(const optics::CtfParameters& ctf, Scratch& scratch, std::span<float> image) const {
  const auto size = optics::half_size(wide_.box);
  scratch.ctf.resize(size);
  scratch.spectrum.resize(size);
  optics::evaluate_ctf(optics_, ctf, wide_.box, wide_.pixel_size, scratch.ctf);
  optics::rfft2(wide_.box, scratch.wide.data(), scratch.spectrum.data());
  for (std::size_t i = 0; i < size; ++i) scratch.spectrum[i] *= scratch.ctf[i];
  optics::irfft2(wide_.box, scratch.spectrum.data(), scratch.wide.data());
  cut_middle(spec_.box, scratch.wide, image);
}

void Imager::draw(std::span<const float> amplitudes, std::span<const float> coordinates, const Pose& pose,
                  const optics::CtfParameters& ctf, Scratch& scratch, std::span<float> image) const {
  image_beads(amplitudes, coordinates, pose, scratch.wide);
  apply_ctf(ctf, scratch, image);
}

void Imager::differentiate(std::span<const float> amplitudes, std::span<const float> coordinates,
                           std::span<const float> tangent, const Pose& pose, const optics::CtfParameters& ctf,
                           Scratch& scratch, std::span<float> image) const {
  double fastest = 0;
  for (const float v : tangent) fastest = std::max(fastest, std::abs(double{v}));
  if (fastest == 0) {
    std::fill(image.begin(), image.end(), 0.0f);
    return;
  }
  const double step = kDifferenceStep / fastest;
  scratch.coordinates.resize(coordinates.size());
  const auto displaced = [&](double by, std::vector<float>& wide) {
    for (std::size_t i = 0; i < coordinates.size(); ++i)
      scratch.coordinates[i] = static_cast<float>(coordinates[i] + by * tangent[i]);
    image_beads(amplitudes, scratch.coordinates, pose, wide);
  };
  displaced(-step, scratch.other);
  displaced(step, scratch.wide);
  const auto inverse = static_cast<float>(1 / (2 * step));
  for (std::size_t i = 0; i < scratch.wide.size(); ++i)
    scratch.wide[i] = inverse * (scratch.wide[i] - scratch.other[i]);
  apply_ctf(ctf, scratch, image);
}

NoiseModel::NoiseModel(bool coloured, int box, double pixel_size) : coloured_(coloured), box_(box) {
  const int wide = 2 * box;
  const auto pixels = static_cast<float>(box) * static_cast<float>(box);
  power_.assign(optics::half_size(box), pixels);
  if (!coloured) return;

  std::vector<float> spectrum(optics::half_size(wide));
  double mean = 0;
  for (int row = 0; row < wide; ++row)
    for (int kx = 0; kx <= wide / 2; ++kx) {
      const double ky = optics::row_frequency(row, wide), f = std::hypot(kx, ky) / (wide * pixel_size),
                   x = kColourLength * f;
      const double s = kColourFloor + 1 / (1 + x * x);
      spectrum[static_cast<std::size_t>(row) * (wide / 2 + 1) + kx] = static_cast<float>(s);
      mean += optics::multiplicity(kx, wide) * s / (static_cast<double>(wide) * wide);
    }
  for (auto& s : spectrum) s = static_cast<float>(s / mean);
  amplitude_.resize(spectrum.size());
  std::transform(spectrum.begin(), spectrum.end(), amplitude_.begin(), [](float s) { return std::sqrt(s); });

  // E|N(k)|² of the box cut out: the autocovariance times the number of pixel pairs at each distance,
  // transformed.
  std::vector<std::complex<float>> transform(spectrum.begin(), spectrum.end());
  std::vector<float> covariance(static_cast<std::size_t>(wide) * wide);
  optics::irfft2(wide, transform.data(), covariance.data());
  for (int y = 0; y < wide; ++y)
    for (int x = 0; x < wide; ++x)
      covariance[static_cast<std::size_t>(y) * wide + x] *=
          static_cast<float>(std::abs(box - y)) * static_cast<float>(std::abs(box - x));
  optics::rfft2(wide, covariance.data(), transform.data());
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx <= box / 2; ++kx)
      power_[static_cast<std::size_t>(row) * (box / 2 + 1) + kx] =
          transform[static_cast<std::size_t>(2 * row) * (wide / 2 + 1) + 2 * kx].real();
}

void NoiseModel::draw(std::uint64_t seed, std::uint64_t stream, Imager::Scratch& scratch,
                      std::span<float> image) const {
  Philox random(seed, stream);
  if (!coloured_) {
    for (auto& v : image) v = static_cast<float>(random.normal());
    return;
  }
  scratch.wide.resize(static_cast<std::size_t>(4) * box_ * box_);
  for (auto& v : scratch.wide) v = static_cast<float>(random.normal());
  optics::apply_filter(2 * box_, scratch.wide.data(), amplitude_.data());
  cut_middle(box_, scratch.wide, image);
}

double NoiseModel::information(std::span<const float> derivative, Imager::Scratch& scratch) const {
  double sum = 0;
  if (!coloured_) {
    for (const float v : derivative) sum += double{v} * v;
    return sum;
  }
  scratch.spectrum.resize(optics::half_size(box_));
  optics::rfft2(box_, derivative.data(), scratch.spectrum.data());
  for (int row = 0; row < box_; ++row)
    for (int kx = 0; kx <= box_ / 2; ++kx) {
      const auto i = static_cast<std::size_t>(row) * (box_ / 2 + 1) + kx;
      sum += optics::multiplicity(kx, box_) * static_cast<double>(std::norm(scratch.spectrum[i])) / power_[i];
    }
  return sum;
}

}  // namespace cryoscape::simulation
