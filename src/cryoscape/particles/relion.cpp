#include <fmt/format.h>

#include <charconv>
#include <map>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

double parse_number(std::string_view text, const std::filesystem::path& path, const std::string& where) {
  double value = 0;
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size())
    fail("{}: '{}' is not a number ({})", path.string(), text, where);
  return value;
}

std::vector<double> parse_list(std::string_view text, const std::filesystem::path& path, const std::string& where) {
  std::vector<double> values;
  if (text.size() >= 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const auto comma = text.find(',');
    values.push_back(parse_number(text.substr(0, comma), path, where));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return values;
}

/// Typed access to one row by label.
class Row {
 public:
  Row(const std::filesystem::path& path, const io::StarTable& table, io::StarRow fields, std::size_t row)
      : path_(path), table_(table), fields_(fields), row_(row) {}
  bool has(const char* label) const { return table_.column(label) >= 0; }
  std::string_view text(const char* label) const { return fields_[table_.column(label)]; }
  double number(const char* label, double fallback) const {
    const int c = table_.column(label);
    return c < 0 ? fallback : number_at(c);
  }
  double number_at(int column) const {
    return parse_number(fields_[column], path_, fmt::format("{}, row {} of data_{}", table_.columns[column], row_ + 1, table_.name));
  }
  std::vector<double> list(const char* label) const { return has(label) ? parse_list(text(label), path_, label) : std::vector<double>(); }

 private:
  const std::filesystem::path& path_;
  const io::StarTable& table_;
  io::StarRow fields_;
  std::size_t row_;
};

/// What a row of data_optics, or of a flat file, says about its optics group.
optics::OpticsGroup optics_from(const Row& row) {
  optics::OpticsGroup g;
  g.voltage_kv = row.number("rlnVoltage", 0);
  g.cs_mm = row.number("rlnSphericalAberration", -1);
  g.amplitude_contrast = row.number("rlnAmplitudeContrast", -1);
  g.pixel_size = row.number("rlnImagePixelSize", 0);
  if (g.pixel_size <= 0) g.pixel_size = row.number("rlnPixelSize", 0);
  if (g.pixel_size <= 0 && row.has("rlnDetectorPixelSize") && row.has("rlnMagnification"))
    g.pixel_size = row.number("rlnDetectorPixelSize", 0) * 1e4 / row.number("rlnMagnification", 1);
  if (g.pixel_size <= 0) g.pixel_size = row.number("rlnMicrographPixelSize", 0);
  if (g.pixel_size <= 0) g.pixel_size = row.number("rlnMicrographOriginalPixelSize", 0);
  g.box = static_cast<int>(row.number("rlnImageSize", 0));
  const char* magnification[4] = {"rlnMagMat00", "rlnMagMat01", "rlnMagMat10", "rlnMagMat11"};
  for (int k = 0; k < 4; ++k) g.magnification[k] = row.number(magnification[k], g.magnification[k]);
  g.beam_tilt_x = row.number("rlnBeamTiltX", 0);
  g.beam_tilt_y = row.number("rlnBeamTiltY", 0);
  g.odd_zernike = row.list("rlnOddZernike");
  g.even_zernike = row.list("rlnEvenZernike");
  g.phase_flipped = row.number("rlnCtfDataArePhaseFlipped", 0) != 0;
  g.premultiplied = row.number("rlnCtfDataAreCtfPremultiplied", 0) != 0;
  return g;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), stacks_(set_) {}

  ParticleSet read() {
    io::StarVisitor visitor;
    visitor.table = [this](const io::StarTable& table) { return begin_table(table); };
    visitor.row = [this](const io::StarTable& table, io::StarRow fields, std::size_t row) {
      const Row r(path_, table, fields, row);
      table.name == "optics" ? optics_row(r) : particle_row(r, fields, row);
    };
    io::read_star(path_, visitor);
    if (!seen_particles_) fail("{} has no table of particles (none has a column rlnImageName)", path_.string());
    set_.format = flat_ ? "RELION 3.0" : "RELION 3.1 or later";
    return std::move(set_);
  }

 private:
  bool begin_table(const io::StarTable& table) {
    if (table.name == "optics") return true;
    if (table.column("rlnImageName") < 0) return false;
    for (const auto& c : table.columns)
      if (c.starts_with("rlnTomo")) fail("{} describes tomographic particles ({}): only single particles are supported", path_.string(), c);
    if (seen_particles_) fail("{} has two tables of particles: keep one", path_.string());
    seen_particles_ = true;
    flat_ = groups_.empty();
    columns_ = {table.column("rlnImageName"), table.column("rlnAngleRot"), table.column("rlnAngleTilt"), table.column("rlnAnglePsi"),
                table.column("rlnDefocusU"), table.column("rlnDefocusV"), table.column("rlnDefocusAngle")};
    check_columns(table);
    return true;
  }

  void check_columns(const io::StarTable& table) const {
    for (const char* label : {"rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"})
      if (table.column(label) < 0)
        fail("{} has no {}: the particles have no poses (take them from a 3D refinement)", path_.string(), label);
    for (const char* label : {"rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle"})
      if (table.column(label) < 0) fail("{} has no {}: the particles have no CTF (run CTF estimation first)", path_.string(), label);
    if (flat_)
      for (const char* label : {"rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"})
        if (table.column(label) < 0) fail("{} has no {}: the CTF cannot be computed", path_.string(), label);
  }

  void optics_row(const Row& row) {
    auto group = optics_from(row);
    if (row.number("rlnImageDimensionality", 2) == 3)
      fail("{} describes three-dimensional (tomographic) particles: only single-particle images are supported", path_.string());
    if (group.voltage_kv <= 0 || group.cs_mm < 0 || group.amplitude_contrast < 0)
      fail("{}: an optics group lacks rlnVoltage, rlnSphericalAberration or rlnAmplitudeContrast: the CTF cannot be computed", path_.string());
    const int number = static_cast<int>(row.number("rlnOpticsGroup", static_cast<double>(groups_.size()) + 1));
    group.name = row.has("rlnOpticsGroupName") ? std::string(row.text("rlnOpticsGroupName")) : fmt::format("opticsGroup{}", number);
    groups_[number] = static_cast<std::uint16_t>(set_.optics_groups.size());
    set_.optics_groups.push_back(group);
  }

  std::uint16_t group_of(const Row& row, std::size_t index) {
    if (!flat_) {
      if (!row.has("rlnOpticsGroup")) {
        if (groups_.size() > 1) fail("{}: several optics groups, but no column rlnOpticsGroup in the particles", path_.string());
        if (index == 0) set_.notes.push_back("no rlnOpticsGroup column: all particles are taken to be of the only optics group");
        return 0;
      }
      const int number = static_cast<int>(row.number("rlnOpticsGroup", 0));
      const auto found = groups_.find(number);
      if (found == groups_.end()) fail("{}: row {} is of optics group {}, which data_optics does not have", path_.string(), index + 1, number);
      return found->second;
    }
    // A flat file has no groups: particles that share optics and pixel size form one.
    auto group = optics_from(row);
    const std::array<double, 5> key{group.voltage_kv, group.cs_mm, group.amplitude_contrast, group.pixel_size, group.beam_tilt_x};
    const auto [at, inserted] = flat_groups_.try_emplace(key, static_cast<std::uint16_t>(set_.optics_groups.size()));
    if (inserted) {
      group.name = fmt::format("opticsGroup{}", flat_groups_.size());
      set_.optics_groups.push_back(group);
    }
    return at->second;
  }

  void particle_row(const Row& row, io::StarRow fields, std::size_t index) {
    Particle p;
    p.optics_group = group_of(row, index);
    set_image(fields[columns_[0]], p, index);
    const auto rotation = geometry::rotation_from_euler(row.number_at(columns_[1]) * kDegree, row.number_at(columns_[2]) * kDegree,
                                                        row.number_at(columns_[3]) * kDegree);
    for (int k = 0; k < 9; ++k) p.rotation[k] = static_cast<float>(rotation[k]);
    set_shift(row, p);
    p.ctf.defocus_u = static_cast<float>(row.number_at(columns_[4]));
    p.ctf.defocus_v = static_cast<float>(row.number_at(columns_[5]));
    p.ctf.defocus_angle = static_cast<float>(row.number_at(columns_[6]) * kDegree);
    p.ctf.phase_shift = static_cast<float>(row.number("rlnPhaseShift", 0) * kDegree);
    p.ctf.b_factor = static_cast<float>(row.number("rlnCtfBfactor", 0));
    p.ctf.scale = static_cast<float>(row.number("rlnCtfScalefactor", 1));
    const auto half = row.number("rlnRandomSubset", 0);
    p.half = half == 1 || half == 2 ? static_cast<std::int8_t>(half) : std::int8_t{0};
    set_.particles.push_back(p);
    set_.rows.push_back(static_cast<std::uint32_t>(index));
    set_.source_rows = index + 1;
  }

  void set_image(std::string_view name, Particle& p, std::size_t index) {
    const auto at = name.find('@');
    std::string_view stack = at == std::string_view::npos ? name : name.substr(at + 1);
    if (at != std::string_view::npos) {
      const double slice = parse_number(name.substr(0, at), path_, fmt::format("rlnImageName, row {}", index + 1));
      if (slice < 1) fail("{}: row {} names image {} of a stack, but images count from 1", path_.string(), index + 1, slice);
      p.slice = static_cast<std::uint32_t>(slice) - 1;
    }
    if (stack.ends_with(":mrcs")) stack.remove_suffix(5);
    p.stack = stacks_.add(stack);
  }

  void set_shift(const Row& row, Particle& p) {
    const double pixel = set_.optics_groups[p.optics_group].pixel_size;
    if (row.has("rlnOriginXAngst")) {
      p.shift = {static_cast<float>(row.number("rlnOriginXAngst", 0)), static_cast<float>(row.number("rlnOriginYAngst", 0))};
    } else if (row.has("rlnOriginX")) {
      if (pixel <= 0) fail("{}: origins are in pixels, but the pixel size is unknown (rlnDetectorPixelSize and rlnMagnification)", path_.string());
      p.shift = {static_cast<float>(row.number("rlnOriginX", 0) * pixel), static_cast<float>(row.number("rlnOriginY", 0) * pixel)};
    } else if (set_.particles.empty()) {
      set_.notes.push_back("no rlnOriginXAngst or rlnOriginX: shifts are taken to be 0");
    }
  }

  const std::filesystem::path& path_;
  ParticleSet set_;
  StackIndex stacks_;
  std::map<int, std::uint16_t> groups_;
  std::map<std::array<double, 5>, std::uint16_t> flat_groups_;
  std::array<int, 7> columns_{};
  bool seen_particles_ = false, flat_ = false;
};

}  // namespace

ParticleSet read_relion(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace cryoscape::particles
