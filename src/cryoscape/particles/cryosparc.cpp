#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {
namespace fs = std::filesystem;

constexpr std::uint32_t kAbsent = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMaxGroups = 65535;

/// A .cs file and its passthrough files: a field is looked for in the file itself, then in the others by uid.
class Dataset {
 public:
  Dataset(const fs::path& path, const std::vector<fs::path>& passthrough) : path_(path) {
    tables_.push_back({path.filename().string(), io::read_npy(path), {}});
    for (const auto& p : passthrough)
      if (!join(p)) fail("{}: shares no particle with {}", p.string(), path.string());
    if (passthrough.empty() && lacks_fields())
      for (const auto& p : files_beside()) join(p);
  }

  std::size_t rows() const { return tables_[0].array.rows(); }

  std::vector<std::string> joined() const {
    std::vector<std::string> names;
    for (std::size_t t = 1; t < tables_.size(); ++t) names.push_back(tables_[t].name);
    return names;
  }

  /// Where a field is: in the file itself, or in one or more passthrough files.
  struct Field {
    std::string name;
    std::vector<std::pair<std::size_t, const io::NpyField*>> places;
    explicit operator bool() const { return !places.empty(); }
  };
  Field find(const std::string& name) const {
    Field found{name, {}};
    for (std::size_t t = 0; t < tables_.size(); ++t)
      if (const auto* f = tables_[t].array.find(name)) {
        found.places.emplace_back(t, f);
        if (t == 0) break;
      }
    return found;
  }

  double number(const Field& f, std::size_t row, double fallback, std::size_t k = 0) const {
    if (!f) return fallback;
    const auto [table, field, at] = place(f, row);
    if (k >= field->count) return fallback;
    const double value = table->array.number(*field, at, k);
    if (!std::isfinite(value))
      fail("{}: {} of row {} is not a finite number", path_.string(), f.name, row + 1);
    return value;
  }
  std::string text(const Field& f, std::size_t row) const {
    const auto [table, field, at] = place(f, row);
    return table->array.text(*field, at);
  }
  std::vector<std::uint64_t> uids() const {
    const auto* f = tables_[0].array.find("uid");
    std::vector<std::uint64_t> values(f ? rows() : 0);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = tables_[0].array.unsigned_integer(*f, i);
    return values;
  }
  /// Names of all fields that start with `prefix` and end with `suffix`.
  std::vector<std::string> fields_like(const std::string& prefix, const std::string& suffix) const {
    std::set<std::string> names;
    for (const auto& t : tables_)
      for (const auto& f : t.array.fields)
        if (f.name.starts_with(prefix) && f.name.ends_with(suffix)) names.insert(f.name);
    return {names.begin(), names.end()};
  }

 private:
  struct Table {
    std::string name;
    io::NpyArray array;
    std::vector<std::uint32_t> row_of;  ///< by row of the file itself; empty for that file
  };
  struct Place {
    const Table* table;
    const io::NpyField* field;
    std::size_t row;
  };

  Place place(const Field& f, std::size_t row) const {
    for (const auto& [t, field] : f.places) {
      const auto& table = tables_[t];
      if (t == 0) return {&table, field, row};
      if (table.row_of[row] != kAbsent) return {&table, field, table.row_of[row]};
    }
    fail("{}: row {} (uid {}) has no {}: it is missing from {}", path_.string(), row + 1,
         tables_[0].array.unsigned_integer(*tables_[0].array.find("uid"), row), f.name,
         tables_[f.places[0].first].name);
  }

  bool lacks_fields() const {
    const auto& own = tables_[0].array;
    const bool posed = std::any_of(own.fields.begin(), own.fields.end(), [](const io::NpyField& f) {
      return f.name.starts_with("alignments") && f.name.ends_with("/pose") &&
             !f.name.starts_with("alignments2D");
    });
    return own.find("uid") && !(posed && own.find("blob/path") && own.find("ctf/df1_A"));
  }

  std::vector<fs::path> files_beside() const {
    std::vector<fs::path> files;
    std::error_code code;
    const auto folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    for (const auto& entry : fs::directory_iterator(folder, code)) {
      const auto name = entry.path().filename().string();
      if (name.ends_with(".cs") && name.find("passthrough") != std::string::npos &&
          name.find("exposure") == std::string::npos && name.find("micrograph") == std::string::npos &&
          !fs::equivalent(entry.path(), path_, code))
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  /// False for a file of other particles.
  bool join(const fs::path& path) {
    const auto own = uids();
    if (own.empty()) fail("{} has no uid: it cannot be joined with {}", path_.string(), path.string());
    Table table{path.filename().string(), io::read_npy(path),
                std::vector<std::uint32_t>(own.size(), kAbsent)};
    const auto* uid = table.array.find("uid");
    if (!uid) fail("{} has no uid: it cannot be joined with {}", path.string(), path_.string());
    std::unordered_map<std::uint64_t, std::uint32_t> by_uid;
    by_uid.reserve(table.array.rows());
    for (std::uint32_t i = 0; i < table.array.rows(); ++i) by_uid[table.array.unsigned_integer(*uid, i)] = i;
    bool any = false;
    for (std::size_t i = 0; i < own.size(); ++i)
      if (const auto found = by_uid.find(own[i]); found != by_uid.end())
        table.row_of[i] = found->second, any = true;
    if (any) tables_.push_back(std::move(table));
    return any;
  }

  fs::path path_;
  std::vector<Table> tables_;
};

/// The alignment of each particle: alignments3D, or that of the class with the highest posterior of an
/// ab-initio job.
class Alignment {
 public:
  struct Fields {
    Dataset::Field pose, shift, pixel_size, alpha, split, posterior;
  };

  Alignment(const Dataset& data, const fs::path& path) {
    std::vector<std::string> poses{"alignments3D/pose"};
    if (!data.find(poses[0])) poses = data.fields_like("alignments_class_", "/pose");
    if (poses.empty())
      fail(
          "{} has no alignments3D/pose, nor has a passthrough file beside it: the particles have no poses "
          "(take them from a 3D refinement)",
          path.string());
    for (const auto& pose : poses) {
      const auto prefix = pose.substr(0, pose.size() - 4);
      fields_.push_back({data.find(pose), data.find(prefix + "shift"), data.find(prefix + "psize_A"),
                         data.find(prefix + "alpha"), data.find(prefix + "split"),
                         data.find(prefix + "class_posterior")});
    }
  }

  const Fields& choose(const Dataset& data, std::size_t row) const {
    if (fields_.size() == 1) return fields_[0];
    std::size_t best = 0;
    for (std::size_t k = 1; k < fields_.size(); ++k)
      if (data.number(fields_[k].posterior, row, 0) > data.number(fields_[best].posterior, row, 0)) best = k;
    return fields_[best];
  }
  std::size_t classes() const { return fields_.size(); }
  bool has_shifts() const {
    return std::all_of(fields_.begin(), fields_.end(), [](const Fields& f) { return bool(f.shift); });
  }

 private:
  std::vector<Fields> fields_;
};

/// Images, CTF and optics of a data set, by row.
class Images {
 public:
  Images(const Dataset& data, const fs::path& path) : data_(data), path_(path) {
    for (const auto* f : {&file_, &index_})
      if (!*f) fail("{} has no {}: it is no particle set with images", path.string(), f->name);
    for (const auto* f : {&defocus_u_, &defocus_v_, &angle_})
      if (!*f)
        fail("{} has no {}: the particles have no CTF (run CTF estimation first)", path.string(), f->name);
    for (const auto* f : {&voltage_, &cs_, &contrast_})
      if (!*f) fail("{} has no {}: the CTF cannot be computed", path.string(), f->name);
  }

  ImageName image(std::size_t i, std::string& text) const {
    text = data_.text(file_, i);
    auto name = parse_image_name(text, path_, i);
    name.slice = static_cast<std::uint32_t>(data_.number(index_, i, 0));
    return name;
  }

  optics::CtfParameters ctf(std::size_t i, double alpha) const {
    const auto get = [&](const Dataset::Field& f, double fallback) {
      return static_cast<float>(data_.number(f, i, fallback));
    };
    return {get(defocus_u_, 0), get(defocus_v_, 0), get(angle_, 0),
            get(phase_, 0),     get(b_factor_, 0),  static_cast<float>(data_.number(scale_, i, 1) * alpha)};
  }

  float sign(std::size_t i) const { return data_.number(sign_, i, 1) < 0 ? -1.0f : 1.0f; }
  double pixel_size(std::size_t i) const { return data_.number(pixel_size_, i, 0); }

  optics::OpticsGroup group(std::size_t i) const {
    optics::OpticsGroup g;
    g.name = fmt::format("exposure_group_{:.0f}", exposure_group(i));
    g.voltage_kv = data_.number(voltage_, i, 0);
    g.cs_mm = data_.number(cs_, i, 0);
    g.amplitude_contrast = data_.number(contrast_, i, 0);
    g.pixel_size = pixel_size(i);
    g.box = static_cast<int>(data_.number(shape_, i, 0));
    g.magnification = magnification(i);
    if (g.voltage_kv <= 0) fail("{}: ctf/accel_kv of row {} is {}", path_.string(), i + 1, g.voltage_kv);
    return g;
  }

  /// What particles of one group share.
  std::array<double, 10> key(std::size_t i) const {
    const auto g = magnification(i);
    return {exposure_group(i),
            data_.number(voltage_, i, 0),
            data_.number(cs_, i, 0),
            data_.number(contrast_, i, 0),
            pixel_size(i),
            data_.number(shape_, i, 0),
            g[0],
            g[1],
            g[2],
            g[3]};
  }

  /// Names of the aberrations that a row has and nothing here applies.
  void ignored(std::size_t i, std::set<std::string>& names) const {
    for (const auto* f : {&shift_, &tilt_, &trefoil_, &tetrafoil_})
      for (std::size_t k = 0; k < 4; ++k)
        if (*f && data_.number(*f, i, 0, k) != 0) names.insert(f->name);
  }

 private:
  double exposure_group(std::size_t i) const { return data_.number(exposure_, i, 0); }

  /// cryoSPARC writes the anisotropic magnification as its difference from the identity; zeros mean none.
  /// Some converters write the matrix itself.
  std::array<double, 4> magnification(std::size_t i) const {
    std::array<double, 4> m{1, 0, 0, 1};
    if (!anisomag_) return m;
    const bool difference = std::abs(data_.number(anisomag_, i, 0, 0)) < 0.5;
    for (std::size_t k = 0; k < 4; ++k) m[k] = (difference ? m[k] : 0) + data_.number(anisomag_, i, 0, k);
    return m;
  }

  const Dataset& data_;
  const fs::path& path_;
  Dataset::Field file_ = data_.find("blob/path"), index_ = data_.find("blob/idx"),
                 pixel_size_ = data_.find("blob/psize_A"), shape_ = data_.find("blob/shape"),
                 sign_ = data_.find("blob/sign"), defocus_u_ = data_.find("ctf/df1_A"),
                 defocus_v_ = data_.find("ctf/df2_A"), angle_ = data_.find("ctf/df_angle_rad"),
                 voltage_ = data_.find("ctf/accel_kv"), cs_ = data_.find("ctf/cs_mm"),
                 contrast_ = data_.find("ctf/amp_contrast"), phase_ = data_.find("ctf/phase_shift_rad"),
                 b_factor_ = data_.find("ctf/bfactor"), scale_ = data_.find("ctf/scale"),
                 exposure_ = data_.find("ctf/exp_group_id"), anisomag_ = data_.find("ctf/anisomag"),
                 tilt_ = data_.find("ctf/tilt_A"), trefoil_ = data_.find("ctf/trefoil_A"),
                 tetrafoil_ = data_.find("ctf/tetra_A"), shift_ = data_.find("ctf/shift_A");
};

void add_notes(ParticleSet& set, const Dataset& data, const Alignment& alignment,
               const std::set<std::string>& ignored) {
  for (const auto& name : data.joined()) set.notes.push_back("joined with " + name + " by uid");
  if (alignment.classes() > 1)
    set.notes.push_back(fmt::format("{} alignments per particle: the one of the most probable class is used",
                                    alignment.classes()));
  if (!alignment.has_shifts()) set.notes.emplace_back("no alignments3D/shift: shifts are taken to be 0");
  if (!ignored.empty())
    set.notes.push_back(fmt::format("aberrations {} are ignored: phase errors remain at high resolution",
                                    fmt::join(ignored, ", ")));
}

}  // namespace

Parsed read_cryosparc(const fs::path& path, const std::vector<fs::path>& passthrough) {
  const Dataset data(path, passthrough);
  const Images images(data, path);
  const Alignment alignment(data, path);
  Parsed parsed;
  auto& set = parsed.set;
  set.format = "cryoSPARC";
  set.source_rows = data.rows();
  set.particles.reserve(data.rows());
  set.rows.reserve(data.rows());
  parsed.uids = data.uids();
  StackIndex stacks(set);
  std::map<std::array<double, 10>, std::uint16_t> groups;
  std::set<std::string> ignored;
  std::string text;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const auto& a = alignment.choose(data, i);
    Particle p;
    const auto image = images.image(i, text);
    p.stack = stacks.add(image.stack);
    p.slice = image.slice;
    const auto rotation = geometry::transpose(geometry::rotation_from_axis_angle(
        {data.number(a.pose, i, 0, 0), data.number(a.pose, i, 0, 1), data.number(a.pose, i, 0, 2)}));
    std::copy(rotation.begin(), rotation.end(), p.rotation.begin());
    const double shift_unit = data.number(a.pixel_size, i, images.pixel_size(i));
    for (int k = 0; k < 2; ++k) p.shift[k] = static_cast<float>(data.number(a.shift, i, 0, k) * shift_unit);
    p.ctf = images.ctf(i, data.number(a.alpha, i, 1));
    p.sign = images.sign(i);
    const double split = data.number(a.split, i, -1);
    p.half = split == 0 ? 1 : split == 1 ? 2 : 0;
    images.ignored(i, ignored);
    const auto [at, inserted] =
        groups.try_emplace(images.key(i), static_cast<std::uint16_t>(set.optics_groups.size()));
    if (inserted) {
      if (set.optics_groups.size() == kMaxGroups) fail("{} has too many exposure groups", path.string());
      set.optics_groups.push_back(images.group(i));
    }
    p.optics_group = at->second;
    set.particles.push_back(p);
    set.rows.push_back(static_cast<std::uint32_t>(i));
  }
  parsed.micrograph_pixel_size.assign(set.optics_groups.size(), 0);
  add_notes(set, data, alignment, ignored);
  return parsed;
}

}  // namespace cryoscape::particles
