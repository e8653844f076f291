#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/error.hpp"

namespace cryoscape::particles {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr std::size_t kMaxGroups = 65535;

/// The number that `text` spells; nothing for anything else, infinities and NaN included.
std::optional<double> number_from(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

/// Typed access to one row.
class Row {
 public:
  Row(const std::filesystem::path& path, const io::StarTable& table, io::StarRow fields, std::size_t row)
      : path_(path), table_(table), fields_(fields), row_(row) {}

  std::size_t index() const { return row_; }
  int column(const char* label) const { return table_.column(label); }
  std::string_view text(int column) const { return fields_[column]; }
  double number(const char* label, double fallback) const { return number(table_.column(label), fallback); }
  /// The fallback stands for a missing column (−1).
  double number(int column, double fallback = 0) const {
    if (column < 0) return fallback;
    const auto value = number_from(fields_[column]);
    if (!value) not_a_number(fields_[column], column);
    return *value;
  }
  /// "[1,2,3]" as RELION writes aberrations.
  std::vector<double> list(const char* label) const {
    std::vector<double> values;
    const int column = table_.column(label);
    if (column < 0) return values;
    auto text = fields_[column];
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    while (!text.empty()) {
      const auto comma = text.find(',');
      const auto value = number_from(text.substr(0, comma));
      if (!value) not_a_number(text.substr(0, comma), column);
      values.push_back(*value);
      text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    }
    return values;
  }

 private:
  [[noreturn]] void not_a_number(std::string_view text, int column) const {
    fail("{}: '{}' is not a number ({} in row {} of data_{})", path_.string(), text, table_.columns[column],
         row_ + 1, table_.name);
  }

  const std::filesystem::path& path_;
  const io::StarTable& table_;
  io::StarRow fields_;
  std::size_t row_;
};

/// Columns that say something about optics: a flat file repeats them in every row.
constexpr const char* kOpticsLabels[] = {"rlnVoltage",
                                         "rlnSphericalAberration",
                                         "rlnAmplitudeContrast",
                                         "rlnImagePixelSize",
                                         "rlnPixelSize",
                                         "rlnDetectorPixelSize",
                                         "rlnMagnification",
                                         "rlnMicrographPixelSize",
                                         "rlnMicrographOriginalPixelSize",
                                         "rlnImageSize",
                                         "rlnCtfDataArePhaseFlipped",
                                         "rlnCtfDataAreCtfPremultiplied",
                                         "rlnBeamTiltX",
                                         "rlnBeamTiltY"};

double micrograph_pixel_size(const Row& row) {
  const double size = row.number("rlnMicrographPixelSize", 0);
  return size > 0 ? size : row.number("rlnMicrographOriginalPixelSize", 0);
}

/// What a row of data_optics, or of a flat file, says about its optics group.
optics::OpticsGroup optics_from(const Row& row) {
  optics::OpticsGroup g;
  g.voltage_kv = row.number("rlnVoltage", 0);
  g.cs_mm = row.number("rlnSphericalAberration", -1);
  g.amplitude_contrast = row.number("rlnAmplitudeContrast", -1);
  g.pixel_size = row.number("rlnImagePixelSize", 0);
  if (g.pixel_size <= 0) g.pixel_size = row.number("rlnPixelSize", 0);
  const double magnified = row.number("rlnMagnification", 0);
  if (g.pixel_size <= 0 && magnified > 0)
    g.pixel_size = row.number("rlnDetectorPixelSize", 0) * 1e4 / magnified;
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

/// Where the particle table keeps what every row is asked for.
struct Columns {
  int image = -1, group = -1, rot = -1, tilt = -1, psi = -1, x = -1, y = -1, defocus_u = -1, defocus_v = -1,
      defocus_angle = -1, phase_shift = -1, b_factor = -1, scale = -1, half = -1;
  std::vector<int> optics;
  bool pixels = false;  ///< origins are in pixels

  explicit Columns(const io::StarTable& t)
      : image(t.column("rlnImageName")),
        group(t.column("rlnOpticsGroup")),
        rot(t.column("rlnAngleRot")),
        tilt(t.column("rlnAngleTilt")),
        psi(t.column("rlnAnglePsi")),
        x(t.column("rlnOriginXAngst")),
        y(t.column("rlnOriginYAngst")),
        defocus_u(t.column("rlnDefocusU")),
        defocus_v(t.column("rlnDefocusV")),
        defocus_angle(t.column("rlnDefocusAngle")),
        phase_shift(t.column("rlnPhaseShift")),
        b_factor(t.column("rlnCtfBfactor")),
        scale(t.column("rlnCtfScalefactor")),
        half(t.column("rlnRandomSubset")) {
    if (x < 0 && y < 0) {
      x = t.column("rlnOriginX"), y = t.column("rlnOriginY");
      pixels = x >= 0 || y >= 0;
    }
    for (const char* label : kOpticsLabels)
      if (const int c = t.column(label); c >= 0) optics.push_back(c);
  }
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), stacks_(parsed_.set) {}

  Parsed read() {
    io::StarVisitor visitor;
    visitor.table = [this](const io::StarTable& table) { return begin_table(table); };
    visitor.row = [this](const io::StarTable& table, io::StarRow fields, std::size_t index) {
      const Row row(path_, table, fields, index);
      table.name == "optics" ? optics_row(row) : particle_row(row);
    };
    io::read_star(path_, visitor);
    if (!seen_particles_)
      fail("{} has no table of particles (none has a column rlnImageName)", path_.string());
    set_.format = flat_ ? "RELION 3.0" : "RELION 3.1 or later";
    set_.source_rows = set_.size();
    return std::move(parsed_);
  }

 private:
  bool begin_table(const io::StarTable& table) {
    for (const auto& c : table.columns)
      if (c.starts_with("rlnTomo"))
        fail("{} describes tomographic particles ({}): only single-particle images are supported",
             path_.string(), c);
    if (table.name == "optics") {
      if (seen_particles_) fail("{}: data_optics must come before the particles", path_.string());
      return true;
    }
    if (table.column("rlnImageName") < 0) return false;
    if (seen_particles_) fail("{} has two tables of particles: keep one", path_.string());
    seen_particles_ = true;
    flat_ = set_.optics_groups.empty();
    columns_ = Columns(table);
    check_columns(table);
    if (columns_.x < 0 && columns_.y < 0)
      set_.notes.emplace_back("no rlnOriginXAngst or rlnOriginX: shifts are taken to be 0");
    if (!flat_ && columns_.group < 0) {
      if (set_.optics_groups.size() > 1)
        fail("{}: several optics groups, but no column rlnOpticsGroup in the particles", path_.string());
      set_.notes.emplace_back(
          "no rlnOpticsGroup column: all particles are taken to be of the only optics group");
    }
    parsed_.shifts_in_pixels = columns_.pixels;
    return true;
  }

  void check_columns(const io::StarTable& table) const {
    const bool helical = std::any_of(table.columns.begin(), table.columns.end(),
                                     [](const std::string& c) { return c.starts_with("rlnHelical"); });
    for (const char* label : {"rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"})
      if (table.column(label) < 0)
        fail("{} has no {}: the {} have no poses (take them from a 3D refinement)", path_.string(), label,
             helical ? "helical segments" : "particles");
    for (const char* label : {"rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle"})
      if (table.column(label) < 0)
        fail("{} has no {}: the particles have no CTF (run CTF estimation first)", path_.string(), label);
    if (!flat_) return;
    for (const char* label : {"rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"})
      if (table.column(label) < 0)
        fail("{} has neither data_optics before the particles nor {}: the CTF cannot be computed",
             path_.string(), label);
  }

  std::uint16_t add_group(optics::OpticsGroup group, const Row& row) {
    if (group.voltage_kv <= 0 || group.cs_mm < 0 || group.amplitude_contrast < 0)
      fail(
          "{}: {} has no rlnVoltage, rlnSphericalAberration or rlnAmplitudeContrast: the CTF cannot be "
          "computed",
          path_.string(), group.name);
    if (set_.optics_groups.size() == kMaxGroups) fail("{} has too many optics groups", path_.string());
    set_.optics_groups.push_back(std::move(group));
    parsed_.micrograph_pixel_size.push_back(micrograph_pixel_size(row));
    return static_cast<std::uint16_t>(set_.optics_groups.size() - 1);
  }

  void optics_row(const Row& row) {
    if (row.number("rlnImageDimensionality", 2) == 3)
      fail(
          "{} describes three-dimensional (tomographic) particles: only single-particle images are supported",
          path_.string());
    auto group = optics_from(row);
    const int number = static_cast<int>(row.number("rlnOpticsGroup", static_cast<double>(row.index()) + 1));
    group.name = fmt::format("opticsGroup{}", number);
    if (const int c = row.column("rlnOpticsGroupName"); c >= 0) group.name = row.text(c);
    if (!groups_.try_emplace(number, add_group(std::move(group), row)).second)
      fail("{}: data_optics has optics group {} twice", path_.string(), number);
  }

  std::uint16_t group_of(const Row& row) {
    if (flat_) return flat_group(row);
    if (columns_.group < 0) return 0;
    const int number = static_cast<int>(row.number(columns_.group));
    const auto found = groups_.find(number);
    if (found == groups_.end())
      fail("{}: row {} is of optics group {}, which data_optics does not have", path_.string(),
           row.index() + 1, number);
    return found->second;
  }

  /// A flat file has no groups: particles that share optics and pixel size form one.
  std::uint16_t flat_group(const Row& row) {
    std::string& text = scratch_;
    text.clear();
    for (const int c : columns_.optics) text.append(row.text(c)).push_back(' ');
    if (!flat_groups_.empty() && text == last_text_) return last_group_;
    last_text_ = text;
    auto group = optics_from(row);
    const std::array<double, 8> key{group.voltage_kv,         group.cs_mm,
                                    group.amplitude_contrast, group.pixel_size,
                                    double(group.box),        group.phase_flipped + 2.0 * group.premultiplied,
                                    group.beam_tilt_x,        group.beam_tilt_y};
    const auto found = flat_groups_.find(key);
    if (found != flat_groups_.end()) return last_group_ = found->second;
    group.name = fmt::format("opticsGroup{}", flat_groups_.size() + 1);
    return last_group_ = flat_groups_[key] = add_group(std::move(group), row);
  }

  void particle_row(const Row& row) {
    const auto& c = columns_;
    Particle p;
    p.optics_group = group_of(row);
    const auto image = parse_image_name(row.text(c.image), path_, row.index());
    p.stack = stacks_.add(image.stack);
    p.slice = image.slice;
    const auto rotation = geometry::rotation_from_euler(
        row.number(c.rot) * kDegree, row.number(c.tilt) * kDegree, row.number(c.psi) * kDegree);
    std::copy(rotation.begin(), rotation.end(), p.rotation.begin());
    p.shift = {static_cast<float>(row.number(c.x)), static_cast<float>(row.number(c.y))};
    p.ctf.defocus_u = static_cast<float>(row.number(c.defocus_u));
    p.ctf.defocus_v = static_cast<float>(row.number(c.defocus_v));
    p.ctf.defocus_angle = static_cast<float>(row.number(c.defocus_angle) * kDegree);
    p.ctf.phase_shift = static_cast<float>(row.number(c.phase_shift) * kDegree);
    p.ctf.b_factor = static_cast<float>(row.number(c.b_factor));
    p.ctf.scale = static_cast<float>(row.number(c.scale, 1));
    const double half = row.number(c.half);
    p.half = half == 1 ? 1 : half == 2 ? 2 : 0;
    set_.particles.push_back(p);
    set_.rows.push_back(static_cast<std::uint32_t>(row.index()));
  }

  const std::filesystem::path& path_;
  Parsed parsed_;
  ParticleSet& set_ = parsed_.set;
  StackIndex stacks_;
  Columns columns_{io::StarTable()};
  std::map<int, std::uint16_t> groups_;
  std::map<std::array<double, 8>, std::uint16_t> flat_groups_;
  std::string scratch_, last_text_;
  std::uint16_t last_group_ = 0;
  bool seen_particles_ = false, flat_ = false;
};

}  // namespace

Parsed read_relion(const std::filesystem::path& path) { return Reader(path).read(); }

}  // namespace cryoscape::particles
