#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kHeadersChecked = 2000;
constexpr double kPixelSizeTolerance = 0.02;  ///< relative; finer differences are calibrations

/// Looks for stacks in `dir`, the particle file's folder, its parents and the working folder; where the last
/// one was found comes first.
class Finder {
 public:
  Finder(const fs::path& source, const std::optional<fs::path>& dir) : has_dir_(dir.has_value()) {
    const auto file = fs::absolute(source).lexically_normal();
    if (dir) folders_.push_back(*dir);
    for (auto folder = file.parent_path();; folder = folder.parent_path()) {
      folders_.push_back(folder);
      if (folder == folder.parent_path()) break;
    }
    const auto here = fs::current_path();
    if (std::find(folders_.begin(), folders_.end(), here) == folders_.end()) folders_.push_back(here);
    places_ = has_dir_ ? fmt::format("{}, {}", dir->string(), file.parent_path().string())
                       : file.parent_path().string();
    places_ += fmt::format(", its parents and the working folder {}", here.string());
  }

  /// The stack's path, or an empty one.
  fs::path find(const fs::path& name) {
    std::error_code code;
    if (name.is_absolute() && fs::is_regular_file(name, code)) return name;
    if (auto found = in_folder(preferred_, name); !found.empty()) return found;
    for (std::size_t f = 0; f < folders_.size(); ++f) {
      if (f == preferred_) continue;
      if (auto found = in_folder(f, name); !found.empty()) {
        preferred_ = f;
        return found;
      }
    }
    return {};
  }

  const std::string& places() const { return places_; }
  /// How many stacks came from each folder, in the order of the first ones.
  std::vector<std::pair<std::string, std::size_t>> bases() const { return bases_; }

 private:
  fs::path in_folder(std::size_t f, const fs::path& name) {
    std::error_code code;
    const auto& folder = folders_[f];
    if (!name.is_absolute() && fs::is_regular_file(folder / name, code)) {
      count(folder.string());
      return folder / name;
    }
    // A copy of the stacks alone, without the project's folders.
    if (has_dir_ && f == 0 && fs::is_regular_file(folder / name.filename(), code)) {
      count(folder.string() + " (by file name)");
      return folder / name.filename();
    }
    return {};
  }

  void count(const std::string& base) {
    const auto at =
        std::find_if(bases_.begin(), bases_.end(), [&](const auto& b) { return b.first == base; });
    if (at == bases_.end())
      bases_.emplace_back(base, 1);
    else
      ++at->second;
  }

  bool has_dir_;
  std::vector<fs::path> folders_;
  std::string places_;
  std::size_t preferred_ = 0;
  std::vector<std::pair<std::string, std::size_t>> bases_;
};

/// What the set's particles ask of each stack.
struct StackUse {
  static constexpr std::uint32_t kUnused = 0xffffffff;
  std::vector<std::uint32_t> slice, row;  ///< by stack: its last slice, and the row that names it
  std::vector<std::uint16_t> group;       ///< by stack: one of its optics groups
  std::vector<std::pair<std::uint32_t, std::uint16_t>> more;  ///< (stack, group) beyond the first

  explicit StackUse(const ParticleSet& set)
      : slice(set.stack_names.size(), 0), row(slice.size(), kUnused), group(slice.size(), 0) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      const auto& p = set.particles[i];
      if (row[p.stack] == kUnused) {
        group[p.stack] = p.optics_group;
      } else if (group[p.stack] != p.optics_group) {
        const std::pair pair{p.stack, p.optics_group};
        if (more.empty() || more.back() != pair) more.push_back(pair);
      }
      if (row[p.stack] == kUnused || p.slice > slice[p.stack])
        slice[p.stack] = p.slice, row[p.stack] = set.rows[i];
    }
    std::sort(more.begin(), more.end());
    more.erase(std::unique(more.begin(), more.end()), more.end());
  }
  bool used(std::size_t stack) const { return row[stack] != kUnused; }
};

void find_all(ParticleSet& set, const ReadOptions& options, const StackUse& use) {
  Finder finder(set.source, options.dir);
  std::size_t missing = 0, wanted = 0;
  std::string first_missing;
  set.stacks.assign(set.stack_names.size(), {});
  for (std::size_t s = 0; s < set.stacks.size(); ++s) {
    if (!use.used(s)) continue;
    ++wanted;
    set.stacks[s] = finder.find(set.stack_names[s]);
    if (set.stacks[s].empty() && missing++ == 0) first_missing = set.stack_names[s];
  }
  const auto bases = finder.bases();
  for (const auto& [base, count] : bases)
    set.notes.push_back(bases.size() == 1 ? "image paths start in " + base
                                          : fmt::format("{} image paths start in {}", count, base));
  if (missing == 0) return;
  const auto text = fmt::format(
      "{} of {} image stacks are missing, the first is {} (looked in {}): give the folder where these paths "
      "start with "
      "--dir",
      missing, wanted, first_missing, finder.places());
  if (options.images_required) fail("{}: {}", set.source.string(), text);
  set.notes.push_back(text);
}

/// Checks a stack's header against an optics group and fills in what the metadata lack.
class HeaderCheck {
 public:
  explicit HeaderCheck(Parsed& parsed) : set_(parsed.set), warned_(set_.optics_groups.size()) {}

  void check(const io::MrcHeader& header, std::size_t stack, std::size_t g) {
    const auto path = set_.stacks[stack].string();
    auto& group = set_.optics_groups[g];
    if (header.nx != header.ny)
      fail("{} has images of {} x {} pixels: particles must be square", path, header.nx, header.ny);
    if (header.nx % 2)
      fail("{} has images of {} pixels, an odd box: crop or pad them to an even size", path, header.nx);
    if (group.box <= 0) {
      group.box = header.nx;
      set_.notes.push_back(fmt::format("optics group {}: box {} taken from the header of {}", group.name,
                                       group.box, set_.stacks[stack].filename().string()));
    }
    if (group.box != header.nx)
      fail("{} has images of {} pixels, but optics group {} has {}: is it another job's stack?", path,
           header.nx, group.name, group.box);
    // Many programs write 1 where they do not know.
    if (header.pixel_size <= 0 || header.pixel_size == 1) return;
    if (group.pixel_size <= 0) {
      group.pixel_size = header.pixel_size;
      set_.notes.push_back(fmt::format("optics group {}: pixel size {:.4f} A taken from the header of {}",
                                       group.name, header.pixel_size,
                                       set_.stacks[stack].filename().string()));
    } else if (!warned_[g] && std::abs(header.pixel_size / group.pixel_size - 1) > kPixelSizeTolerance) {
      warned_[g] = 1;
      set_.notes.push_back(fmt::format(
          "optics group {}: pixel size {:.4f} A is used, but the header of {} says {:.4f}", group.name,
          group.pixel_size, set_.stacks[stack].filename().string(), header.pixel_size));
    }
  }

 private:
  ParticleSet& set_;
  std::vector<char> warned_;
};

/// Every header of few stacks; of many, an even sample and one of each optics group: the loader checks the
/// rest as it opens them.
void check_stacks(Parsed& parsed, const StackUse& use) {
  auto& set = parsed.set;
  HeaderCheck headers(parsed);
  const std::size_t step = std::max<std::size_t>(1, set.stacks.size() / kHeadersChecked);
  std::vector<char> seen(set.optics_groups.size(), 0);
  for (std::size_t s = 0; s < set.stacks.size(); ++s) {
    if (set.stacks[s].empty() || (s % step && seen[use.group[s]])) continue;
    seen[use.group[s]] = 1;
    const auto header = io::read_mrc_header(set.stacks[s]);
    headers.check(header, s, use.group[s]);
    if (static_cast<std::int64_t>(use.slice[s]) >= header.nz)
      fail("{}: row {} names image {} of {}, which has only {}", set.source.string(), use.row[s] + 1,
           use.slice[s] + 1, set.stacks[s].string(), header.nz);
  }
  for (const auto& [s, g] : use.more)
    if (!set.stacks[s].empty() && !seen[g]) {
      seen[g] = 1;
      headers.check(io::read_mrc_header(set.stacks[s]), s, g);
    }
}

/// Pixel sizes that neither the group nor a stack tells, odd boxes, shifts in pixels.
void complete_optics(Parsed& parsed, const ReadOptions& options) {
  auto& set = parsed.set;
  for (std::size_t g = 0; g < set.optics_groups.size(); ++g) {
    auto& group = set.optics_groups[g];
    if (group.box % 2)
      fail("{}: optics group {} has an odd box of {} pixels: crop or pad the images to an even size",
           set.source.string(), group.name, group.box);
    if (group.pixel_size > 0) continue;
    if (parsed.micrograph_pixel_size[g] > 0) {
      group.pixel_size = parsed.micrograph_pixel_size[g];
      set.notes.push_back(
          fmt::format("optics group {}: pixel size {:.4f} A is the micrographs': wrong if the "
                      "particles were downscaled",
                      group.name, group.pixel_size));
    } else if (options.images_required || parsed.shifts_in_pixels) {
      fail(
          "{}: optics group {} has no pixel size (rlnImagePixelSize, or rlnDetectorPixelSize and "
          "rlnMagnification), "
          "nor have the stacks' headers",
          set.source.string(), group.name);
    } else {
      set.notes.push_back(fmt::format("optics group {}: pixel size unknown", group.name));
    }
  }
  if (!parsed.shifts_in_pixels) return;
  for (auto& p : set.particles)
    for (auto& x : p.shift) x = static_cast<float>(x * set.optics_groups[p.optics_group].pixel_size);
}

}  // namespace

void locate_stacks(Parsed& parsed, const ReadOptions& options) {
  const StackUse use(parsed.set);
  find_all(parsed.set, options, use);
  check_stacks(parsed, use);
  complete_optics(parsed, options);
}

}  // namespace cryoscape::particles
