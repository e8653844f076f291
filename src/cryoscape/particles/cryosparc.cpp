#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {
namespace fs = std::filesystem;

/// A .cs file with its passthrough files: a field is looked for in the file itself, then in the others by uid.
class Dataset {
 public:
  explicit Dataset(const fs::path& path) : path_(path) {
    open(path);
    std::error_code code;
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::vector<fs::path> passthroughs;
    for (const auto& entry : fs::directory_iterator(folder, code)) {
      const auto name = entry.path().filename().string();
      if (entry.path().extension() == ".cs" && name.find("passthrough") != std::string::npos && entry.path() != path &&
          name.find("particles") != std::string::npos)
        passthroughs.push_back(entry.path());
    }
    std::sort(passthroughs.begin(), passthroughs.end());
    for (const auto& p : passthroughs) open(p);
  }

  std::size_t rows() const { return tables_[0].array.rows(); }
  const std::vector<std::string>& joined() const { return joined_; }

  /// Where a field is, or nothing.
  struct Field {
    std::size_t table = 0;
    const io::NpyField* field = nullptr;
    explicit operator bool() const { return field != nullptr; }
  };
  Field find(const std::string& name) const {
    for (std::size_t t = 0; t < tables_.size(); ++t)
      if (const auto* f = tables_[t].array.find(name)) return {t, f};
    return {};
  }
  double number(const Field& f, std::size_t row, double fallback, std::size_t k = 0) const {
    return f ? tables_[f.table].array.number(*f.field, row_in(f.table, row), k) : fallback;
  }
  std::string text(const Field& f, std::size_t row) const { return tables_[f.table].array.text(*f.field, row_in(f.table, row)); }
  std::uint64_t uid(std::size_t row) const {
    const auto* f = tables_[0].array.find("uid");
    return f ? tables_[0].array.unsigned_integer(*f, row) : row;
  }

 private:
  struct Table {
    io::NpyArray array;
    std::unordered_map<std::uint64_t, std::uint32_t> by_uid;  ///< empty for the file itself
  };

  void open(const fs::path& path) {
    Table table{io::read_npy(path), {}};
    const auto* uid = table.array.find("uid");
    if (!tables_.empty()) {
      if (!uid || !tables_[0].array.find("uid")) return;
      for (std::uint32_t i = 0; i < table.array.rows(); ++i) table.by_uid[table.array.unsigned_integer(*uid, i)] = i;
      // A passthrough of another job shares no particles; it is not ours.
      if (!table.by_uid.contains(this->uid(0))) return;
      joined_.push_back(path.filename().string());
    }
    tables_.push_back(std::move(table));
  }

  std::size_t row_in(std::size_t table, std::size_t row) const {
    if (table == 0) return row;
    const auto found = tables_[table].by_uid.find(uid(row));
    if (found == tables_[table].by_uid.end())
      fail("{}: particle {} (uid {}) is missing from its passthrough file", path_.string(), row, uid(row));
    return found->second;
  }

  fs::path path_;
  std::vector<Table> tables_;
  std::vector<std::string> joined_;
};

/// Prefix of the alignment fields: alignments3D, or the class with the highest posterior of an ab-initio job.
class Alignment {
 public:
  Alignment(const Dataset& data, const fs::path& path) {
    if (data.find("alignments3D/pose")) {
      prefixes_.push_back("alignments3D");
    } else {
      for (int k = 0; data.find(fmt::format("alignments_class_{}/pose", k)) ; ++k) prefixes_.push_back(fmt::format("alignments_class_{}", k));
    }
    if (prefixes_.empty())
      fail("{} has no alignments3D/pose, nor has a passthrough file beside it: the particles have no poses (export a refinement)", path.string());
    for (const auto& prefix : prefixes_)
      fields_.push_back({data.find(prefix + "/pose"), data.find(prefix + "/shift"), data.find(prefix + "/psize_A"), data.find(prefix + "/alpha"),
                         data.find(prefix + "/split"), data.find(prefix + "/class_posterior")});
  }
  struct Fields {
    Dataset::Field pose, shift, pixel_size, alpha, split, posterior;
  };
  const Fields& choose(const Dataset& data, std::size_t row) const {
    std::size_t best = 0;
    for (std::size_t k = 1; k < fields_.size(); ++k)
      if (data.number(fields_[k].posterior, row, 0) > data.number(fields_[best].posterior, row, 0)) best = k;
    return fields_[best];
  }
  std::size_t classes() const { return fields_.size(); }

 private:
  std::vector<std::string> prefixes_;
  std::vector<Fields> fields_;
};

/// cryoSPARC writes the anisotropic magnification as a matrix or as its difference from the identity; all zeros mean none.
std::array<double, 4> magnification(const Dataset& data, const Dataset::Field& field, std::size_t row) {
  std::array<double, 4> m{1, 0, 0, 1};
  if (!field) return m;
  std::array<double, 4> v;
  for (std::size_t k = 0; k < 4; ++k) v[k] = data.number(field, row, 0, k);
  const bool difference = std::abs(v[0]) < 0.5;
  for (int k = 0; k < 4; ++k) m[k] = difference ? m[k] + v[k] : v[k];
  return m;
}

}  // namespace

ParticleSet read_cryosparc(const fs::path& path) {
  const Dataset data(path);
  ParticleSet set;
  set.format = "cryoSPARC";
  for (const auto& name : data.joined()) set.notes.push_back("joined with " + name + " by uid");
  const auto file = data.find("blob/path"), index = data.find("blob/idx"), pixel = data.find("blob/psize_A"),
             shape = data.find("blob/shape"), sign = data.find("blob/sign");
  if (!file || !index) fail("{} has no blob/path and blob/idx: it is no particle set with images", path.string());
  const auto du = data.find("ctf/df1_A"), dv = data.find("ctf/df2_A"), angle = data.find("ctf/df_angle_rad");
  if (!du || !dv || !angle) fail("{} has no ctf/df1_A, ctf/df2_A, ctf/df_angle_rad: the particles have no CTF", path.string());
  const auto kv = data.find("ctf/accel_kv"), cs = data.find("ctf/cs_mm"), w = data.find("ctf/amp_contrast");
  if (!kv || !cs || !w) fail("{} has no ctf/accel_kv, ctf/cs_mm, ctf/amp_contrast: the CTF cannot be computed", path.string());
  const auto phase = data.find("ctf/phase_shift_rad"), b = data.find("ctf/bfactor"), scale = data.find("ctf/scale"),
             exposure = data.find("ctf/exp_group_id"), anisomag = data.find("ctf/anisomag"), tilt = data.find("ctf/tilt_A"),
             trefoil = data.find("ctf/trefoil_A");
  const Alignment alignment(data, path);
  if (alignment.classes() > 1)
    set.notes.push_back(fmt::format("{} alignments per particle: the one of the most probable class is used", alignment.classes()));

  StackIndex stacks(set);
  std::map<std::array<double, 6>, std::uint16_t> groups;
  bool odd_aberrations = false;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const auto& a = alignment.choose(data, i);
    Particle p;
    auto name = data.text(file, i);
    if (!name.empty() && name[0] == '>') name.erase(0, 1);
    p.stack = stacks.add(name);
    p.slice = static_cast<std::uint32_t>(data.number(index, i, 0));
    const auto rotation = geometry::transpose(
        geometry::rotation_from_axis_angle({data.number(a.pose, i, 0, 0), data.number(a.pose, i, 0, 1), data.number(a.pose, i, 0, 2)}));
    for (int k = 0; k < 9; ++k) p.rotation[k] = static_cast<float>(rotation[k]);
    const double pixel_size = data.number(pixel, i, 0), shift_unit = data.number(a.pixel_size, i, pixel_size);
    for (int k = 0; k < 2; ++k) p.shift[k] = static_cast<float>(data.number(a.shift, i, 0, k) * shift_unit);
    p.ctf = {static_cast<float>(data.number(du, i, 0)), static_cast<float>(data.number(dv, i, 0)), static_cast<float>(data.number(angle, i, 0)),
             static_cast<float>(data.number(phase, i, 0)), static_cast<float>(data.number(b, i, 0)),
             static_cast<float>(data.number(scale, i, 1) * data.number(a.alpha, i, 1))};
    p.sign = data.number(sign, i, 1) < 0 ? -1.0f : 1.0f;
    p.half = a.split ? static_cast<std::int8_t>(data.number(a.split, i, 0) + 1) : std::int8_t{0};
    optics::OpticsGroup g;
    g.voltage_kv = data.number(kv, i, 300), g.cs_mm = data.number(cs, i, 2.7), g.amplitude_contrast = data.number(w, i, 0.1);
    g.pixel_size = pixel_size, g.box = static_cast<int>(data.number(shape, i, 0));
    g.magnification = magnification(data, anisomag, i);
    for (std::size_t k = 0; k < 2; ++k) odd_aberrations |= data.number(tilt, i, 0, k) != 0 || data.number(trefoil, i, 0, k) != 0;
    const std::array<double, 6> key{data.number(exposure, i, 0), g.voltage_kv, g.cs_mm, g.amplitude_contrast, g.pixel_size, double(g.box)};
    const auto [at, inserted] = groups.try_emplace(key, static_cast<std::uint16_t>(set.optics_groups.size()));
    if (inserted) {
      g.name = fmt::format("exposure_group_{}", static_cast<long>(key[0]));
      set.optics_groups.push_back(g);
    }
    p.optics_group = at->second;
    set.particles.push_back(p);
    set.rows.push_back(static_cast<std::uint32_t>(i));
  }
  if (odd_aberrations) set.notes.push_back("beam tilt and trefoil (ctf/tilt_A, ctf/trefoil_A) are ignored: phase errors remain at high resolution");
  set.source_rows = data.rows();
  return set;
}

}  // namespace cryoscape::particles
