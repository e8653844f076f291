#include "cryoscape/particles/inspection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cryoscape/io/mrc.hpp"

namespace cryoscape::particles {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;
constexpr std::size_t kFewParticles = 1000;
constexpr std::size_t kFewInGroup = 100;
constexpr std::size_t kRowsNamed = 10;

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return {*std::min_element(values.begin(), values.end()), *middle,
          *std::max_element(values.begin(), values.end())};
}

template <class Value>
Spread spread_of(const ParticleSet& set, Value&& value) {
  std::vector<double> values(set.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = value(set.particles[i]);
  return spread(std::move(values));
}

bool any_nonzero(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double x) { return x != 0; });
}

GroupSummary summarise(const optics::OpticsGroup& group) {
  GroupSummary summary{group, 0, {}};
  if (group.magnification != std::array<double, 4>{1, 0, 0, 1})
    summary.terms.emplace_back("magnification matrix");
  if (group.phase_flipped) summary.terms.emplace_back("phase-flipped");
  if (group.premultiplied) summary.terms.emplace_back("CTF-premultiplied");
  if (any_nonzero(group.even_zernike)) summary.terms.emplace_back("even aberrations");
  if (group.beam_tilt_x != 0 || group.beam_tilt_y != 0) summary.terms.emplace_back("beam tilt");
  if (any_nonzero(group.odd_zernike)) summary.terms.emplace_back("odd aberrations");
  return summary;
}

void count_particles(const ParticleSet& set, Inspection& out) {
  std::vector<std::uint64_t> images(set.size());
  std::vector<char> used(set.stacks.size(), 0);
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto& p = set.particles[i];
    images[i] = static_cast<std::uint64_t>(p.stack) << 32 | p.slice;
    used[p.stack] = 1;
    ++out.halves[p.half];
    ++out.groups[p.optics_group].particles;
  }
  for (std::size_t s = 0; s < used.size(); ++s) {
    out.stacks += used[s];
    out.stacks_missing += used[s] && set.stacks[s].empty();
  }
  std::sort(images.begin(), images.end());
  out.repeated_images = static_cast<std::size_t>(images.end() - std::unique(images.begin(), images.end()));
}

ImageSample sample_images(const ParticleSet& set, std::size_t count) {
  ImageSample out;
  io::StackReader reader;
  std::vector<float> image;
  double sum = 0, square = 0, pixels = 0;
  count = std::min(count, set.size());
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t i = k * set.size() / count;
    const auto& p = set.particles[i];
    if (set.stacks[p.stack].empty()) continue;
    const auto box = static_cast<std::size_t>(set.optics_groups[p.optics_group].box);
    image.resize(box * box);
    reader.read(set.stacks[p.stack], p.slice, image);
    double s = 0, ss = 0;
    for (const double x : image) s += x, ss += x * x;
    const auto n = static_cast<double>(image.size());
    const double variance = ss / n - s / n * (s / n);
    ++out.read;
    if (!std::isfinite(variance) || variance <= 1e-12 * (1 + s / n * (s / n))) {
      ++out.unusable;
      if (out.bad_rows.size() < kRowsNamed) out.bad_rows.push_back(set.rows[i]);
      continue;
    }
    sum += s, square += ss, pixels += n;
  }
  if (pixels > 0) {
    out.mean = sum / pixels;
    out.deviation = std::sqrt(std::max(0.0, square / pixels - out.mean * out.mean));
  }
  return out;
}

void check_optics(Inspection& out) {
  auto& warnings = out.warnings;
  for (const auto& g : out.groups) {
    const auto& o = g.optics;
    const auto say = [&](const std::string& text) {
      warnings.push_back("optics group " + o.name + ": " + text);
    };
    if (o.voltage_kv < 50 || o.voltage_kv > 500)
      say(fmt::format("a voltage of {} kV; is it in V?", o.voltage_kv));
    if (o.amplitude_contrast > 0.4)
      say(fmt::format("an amplitude contrast of {} is unusual", o.amplitude_contrast));
    if (o.cs_mm > 10) say(fmt::format("a spherical aberration of {} mm is unusual", o.cs_mm));
    if (o.pixel_size > 20 || (o.pixel_size > 0 && o.pixel_size < 0.2))
      say(fmt::format("a pixel size of {} A is unusual", o.pixel_size));
    if (o.premultiplied && o.phase_flipped)
      say("both phase-flipped and CTF-premultiplied: only one can be right");
  }
  const auto few = std::count_if(out.groups.begin(), out.groups.end(),
                                 [](const GroupSummary& g) { return g.particles < kFewInGroup; });
  if (few && out.groups.size() > 1)
    warnings.push_back(
        fmt::format("{} of {} optics groups have fewer than {} particles: their noise spectra will be "
                    "poor; merge groups of the same microscope settings",
                    few, out.groups.size(), kFewInGroup));
}

void check_ctf(const ParticleSet& set, Inspection& out) {
  auto& warnings = out.warnings;
  const auto& d = out.defocus;
  if (d.low == 0 && d.high == 0)
    warnings.emplace_back("every defocus is 0: the CTF was not estimated");
  else if (std::max(std::abs(d.low), std::abs(d.high)) < 0.01)
    warnings.push_back(fmt::format("defocus values up to {:.4g} A: are they in micrometres?", 1e4 * d.high));
  else if (d.high > 10)
    warnings.push_back(fmt::format("defocus values up to {:.1f} um are unusual", d.high));
  if (d.low < 0)
    warnings.push_back(fmt::format("overfocus down to {:.2f} um: positive values are underfocus", d.low));
  if (out.astigmatism.high > 1)
    warnings.push_back(
        fmt::format("astigmatism up to {:.2f} um: CTF estimation failed on some", out.astigmatism.high));
  const auto dark = std::count_if(set.particles.begin(), set.particles.end(),
                                  [](const Particle& p) { return p.ctf.scale <= 0; });
  if (dark)
    warnings.push_back(fmt::format("{} particles have a CTF scale of 0 or less: they carry no signal", dark));
}

void check_poses(const ParticleSet& set, Inspection& out) {
  auto& warnings = out.warnings;
  const auto& first = set.particles[0].rotation;
  const bool same = std::all_of(set.particles.begin(), set.particles.end(),
                                [&](const Particle& p) { return p.rotation == first; });
  if (same && set.size() > 1) {
    warnings.emplace_back("all particles have the same pose: take them from a 3D refinement");
  } else if (out.particles >= kFewParticles) {
    if (out.poses.least_sampled < 0.1)
      warnings.push_back(
          fmt::format("views are concentrated: the least sampled direction has {:.0f} % of an even share",
                      100 * out.poses.least_sampled));
    if (out.poses.in_plane_filled < 0.5)
      warnings.push_back(
          fmt::format("in-plane angles fill only {:.0f} % of the circle", 100 * out.poses.in_plane_filled));
  }
  std::size_t far = 0;
  for (const auto& p : set.particles) {
    const auto& g = set.optics_groups[p.optics_group];
    const double extent = g.box * g.pixel_size;
    far += extent > 0 && std::hypot(p.shift[0], p.shift[1]) > extent / 4;
  }
  if (far)
    warnings.push_back(
        fmt::format("{} particles are shifted by more than a quarter of the box: are the shifts of "
                    "another pixel size or box?",
                    far));
}

void check_images(Inspection& out) {
  const auto& images = out.images;
  if (images.unusable == 0) return;
  std::vector<std::uint32_t> rows = images.bad_rows;
  for (auto& r : rows) ++r;
  out.warnings.push_back(fmt::format(
      "{} of {} sampled images are constant or not finite and would be left out (rows {}{})", images.unusable,
      images.read, fmt::join(rows, ", "), images.unusable > rows.size() ? ", …" : ""));
}

}  // namespace

Inspection inspect(const ParticleSet& set, std::size_t sample) {
  Inspection out;
  out.source = set.source.string();
  out.format = set.format;
  out.particles = set.size();
  out.source_rows = set.source_rows;
  out.notes = set.notes;
  for (const auto& g : set.optics_groups) out.groups.push_back(summarise(g));
  count_particles(set, out);
  out.defocus =
      spread_of(set, [](const Particle& p) { return 0.5e-4 * (p.ctf.defocus_u + p.ctf.defocus_v); });
  out.astigmatism =
      spread_of(set, [](const Particle& p) { return 1e-4 * std::abs(p.ctf.defocus_u - p.ctf.defocus_v); });
  out.phase_shift = spread_of(set, [](const Particle& p) { return p.ctf.phase_shift * kDegrees; });
  out.shift = spread_of(set, [](const Particle& p) { return std::hypot(p.shift[0], p.shift[1]); });
  out.poses = measure_coverage(set);
  out.images = sample_images(set, sample);
  if (out.stacks_missing)
    out.warnings.emplace_back("images are missing: only what the metadata say was checked");
  if (out.particles < kFewParticles)
    out.warnings.push_back(
        fmt::format("only {} particles: too few to learn conformations from", out.particles));
  if (out.repeated_images)
    out.warnings.push_back(fmt::format(
        "{} particles use an image that an earlier row uses: remove duplicates", out.repeated_images));
  check_optics(out);
  check_ctf(set, out);
  if (set.size() > 0) check_poses(set, out);
  check_images(out);
  return out;
}

}  // namespace cryoscape::particles
