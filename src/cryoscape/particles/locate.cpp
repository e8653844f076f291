#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <unordered_set>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kHeadersChecked = 2000;

/// Folders that relative image paths may start from, the most likely first.
std::vector<fs::path> candidate_folders(const fs::path& source, const std::optional<fs::path>& dir) {
  if (dir) return {*dir};
  std::vector<fs::path> folders;
  for (auto folder = fs::absolute(source).parent_path();; folder = folder.parent_path()) {
    folders.push_back(folder);
    if (folder == folder.parent_path()) break;
  }
  const auto here = fs::current_path();
  if (std::find(folders.begin(), folders.end(), here) == folders.end()) folders.push_back(here);
  return folders;
}

/// The stack under one of the folders, or an empty path. With --dir the bare file name is tried as well.
fs::path find_stack(const std::string& name, const std::vector<fs::path>& folders, bool also_bare) {
  if (fs::path(name).is_absolute() && fs::exists(name)) return name;
  for (const auto& folder : folders) {
    if (fs::exists(folder / name)) return folder / name;
    if (also_bare && fs::exists(folder / fs::path(name).filename())) return folder / fs::path(name).filename();
  }
  return {};
}

void find_all(ParticleSet& set, const ReadOptions& options) {
  auto folders = candidate_folders(set.source, options.dir);
  std::size_t missing = 0;
  std::string first_missing;
  bool told = false;
  for (const auto& name : set.stack_names) {
    auto found = find_stack(name, folders, options.dir.has_value());
    if (found.empty()) {
      if (missing++ == 0) first_missing = name;
    } else if (!told && !fs::path(name).is_absolute()) {
      told = true;
      const auto text = found.string();
      const auto base = text.size() > name.size() ? text.substr(0, text.size() - name.size() - 1) : text;
      set.notes.push_back("image paths start in " + base);
      if (!options.dir) {
        const auto at = std::find(folders.begin(), folders.end(), fs::path(base));
        if (at != folders.end()) std::rotate(folders.begin(), at, at + 1);
      }
    }
    set.stacks.push_back(std::move(found));
  }
  if (missing == 0) return;
  const auto text = fmt::format("{} of {} image stacks are missing, the first is {} (looked in {}{}): give the folder where these paths start with --dir",
                                missing, set.stack_names.size(), first_missing, folders[0].string(),
                                options.dir ? "" : ", its parents and the working folder");
  if (options.images_required) fail("{}: {}", set.source.string(), text);
  set.notes.push_back(text);
}

/// Checks one stack's header against its optics group; fills in what the metadata lacks.
void check_header(ParticleSet& set, const io::MrcHeader& header, const fs::path& path, optics::OpticsGroup& group) {
  if (header.nx != header.ny) fail("{} has images of {} x {} pixels: particles must be square", path.string(), header.nx, header.ny);
  if (header.nx % 2) fail("{} has images of {} pixels, an odd box: crop or pad them to an even size", path.string(), header.nx);
  if (group.box == 0) group.box = header.nx;
  if (group.box != header.nx)
    fail("{} has images of {} pixels, but the metadata say {}: is it another job's stack?", path.string(), header.nx, group.box);
  if (group.pixel_size <= 0) {
    if (header.pixel_size <= 0 || header.pixel_size == 1.0)
      fail("{}: no pixel size in the metadata (rlnImagePixelSize) nor in {}", set.source.string(), path.string());
    group.pixel_size = header.pixel_size;
    set.notes.push_back(fmt::format("pixel size {:.4f} A taken from the header of {}", header.pixel_size, path.filename().string()));
  }
}

void check_stacks(ParticleSet& set) {
  std::vector<std::uint32_t> last(set.stacks.size(), 0), group(set.stacks.size(), 0), row(set.stacks.size(), 0);
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto& p = set.particles[i];
    group[p.stack] = p.optics_group;
    if (p.slice >= last[p.stack]) last[p.stack] = p.slice, row[p.stack] = set.rows[i];
  }
  // Every header of few stacks; of many, an even sample: the loader checks the rest as it opens them.
  const std::size_t step = std::max<std::size_t>(1, set.stacks.size() / kHeadersChecked);
  for (std::size_t s = 0; s < set.stacks.size(); s += step) {
    if (set.stacks[s].empty()) continue;
    const auto header = io::read_mrc_header(set.stacks[s]);
    check_header(set, header, set.stacks[s], set.optics_groups[group[s]]);
    if (static_cast<int>(last[s]) >= header.nz)
      fail("{}: row {} names image {} of {}, which has only {}", set.source.string(), row[s] + 1, last[s] + 1, set.stacks[s].string(), header.nz);
  }
}

std::uint64_t half_hash(const std::string& name) {
  std::uint64_t hash = 1469598103934665603ull;
  for (const unsigned char c : name) hash = (hash ^ c) * 1099511628211ull;
  return hash ^ (hash >> 33);
}

/// Rows of the source that a subset file names.
std::vector<char> subset_rows(const ParticleSet& set, const fs::path& path) {
  std::vector<char> keep(set.size(), 0);
  const auto extension = path.extension().string();
  if (extension == ".star" || extension == ".cs") {
    std::unordered_set<std::string> names;
    const auto other = extension == ".star" ? read_relion(path) : read_cryosparc(path);
    for (std::size_t i = 0; i < other.size(); ++i) names.insert(image_name(other, i));
    for (std::size_t i = 0; i < set.size(); ++i) keep[i] = names.contains(image_name(set, i));
    return keep;
  }
  std::ifstream stream(path);
  if (!stream) fail("cannot open the subset {}", path.string());
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    char* end = nullptr;
    const long row = std::strtol(line.c_str(), &end, 10);
    if (end == line.c_str() || row < 0 || row >= static_cast<long>(set.size()))
      fail("{}:{}: '{}' is not a row from 0 to {}", path.string(), number, line, set.size() - 1);
    keep[row] = 1;
  }
  return keep;
}

void note_ignored_optics(ParticleSet& set) {
  for (const auto& g : set.optics_groups) {
    const bool odd = std::any_of(g.odd_zernike.begin(), g.odd_zernike.end(), [](double x) { return x != 0; });
    if (g.beam_tilt_x == 0 && g.beam_tilt_y == 0 && !odd) continue;
    set.notes.push_back(fmt::format("optics group {}: beam tilt and odd aberrations are ignored: phase errors remain at high resolution", g.name));
  }
}

}  // namespace

void locate_stacks(ParticleSet& set, const ReadOptions& options) {
  find_all(set, options);
  check_stacks(set);
  for (const auto& g : set.optics_groups) {
    if (g.pixel_size <= 0 && options.images_required)
      fail("{}: optics group {} has no pixel size (rlnImagePixelSize)", set.source.string(), g.name);
    if (g.box % 2) fail("{}: optics group {} has an odd box of {} pixels: crop or pad the images to an even size", set.source.string(), g.name, g.box);
  }
  note_ignored_optics(set);
}

void select_particles(ParticleSet& set, const ReadOptions& options) {
  if (!options.subset && options.half == 0) return;
  std::vector<char> keep = options.subset ? subset_rows(set, *options.subset) : std::vector<char>(set.size(), 1);
  const bool assigned = std::any_of(set.particles.begin(), set.particles.end(), [](const Particle& p) { return p.half != 0; });
  if (options.half && !assigned) set.notes.push_back("no half-sets in the file: made by particle name");
  std::size_t kept = 0;
  for (std::size_t i = 0; i < set.size(); ++i) {
    auto& p = set.particles[i];
    if (options.half && !assigned) p.half = half_hash(image_name(set, i)) % 2 ? 1 : 2;
    if (!keep[i] || (options.half && p.half != options.half)) continue;
    set.particles[kept] = p;
    set.rows[kept++] = set.rows[i];
  }
  set.particles.resize(kept);
  set.rows.resize(kept);
  if (kept == 0) fail("{}: no particle is left by --subset and --half", set.source.string());
}

}  // namespace cryoscape::particles
