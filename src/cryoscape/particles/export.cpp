#include "cryoscape/particles/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>
#include <ostream>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::particles {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

/// RELION reads a file without data_optics as of version 3.0 and refuses to convert one that claims to be
/// newer.
constexpr const char* kVersion = "\n# version 30001\n";

/// Copies a STAR source table by table; particle rows get the extra columns.
void copy_star(std::ostream& stream, const ParticleSet& set, const std::vector<ExtraColumn>& extra) {
  std::vector<int> column(extra.size());
  std::vector<std::string> values(extra.size());
  std::vector<std::string_view> fields;
  std::size_t next = 0;
  bool particles = false;
  const bool versioned = set.format != "RELION 3.0";
  io::StarVisitor visitor;
  visitor.table = [&](const io::StarTable& source) {
    io::StarTable table = source;
    particles = table.name != "optics" && table.column("rlnImageName") >= 0;
    if (particles)
      for (std::size_t k = 0; k < extra.size(); ++k) {
        column[k] = table.column(extra[k].label);
        if (column[k] >= 0) continue;
        column[k] = static_cast<int>(table.columns.size());
        table.columns.push_back(extra[k].label);
      }
    if (versioned) stream << kVersion;
    if (!table.is_list) io::write_star_head(stream, table);
    fields.resize(table.columns.size());
    return true;
  };
  visitor.row = [&](const io::StarTable& table, io::StarRow row, std::size_t number) {
    if (table.is_list) return io::write_star_list(stream, table, row);
    if (!particles) return io::write_star_row(stream, row);
    if (next == set.size() || set.rows[next] != number) return;
    std::copy(row.begin(), row.end(), fields.begin());
    for (std::size_t k = 0; k < extra.size(); ++k) {
      values[k] = extra[k].value(next);
      fields[column[k]] = values[k];
    }
    io::write_star_row(stream, fields);
    ++next;
  };
  io::read_star(set.source, visitor);
  if (next != set.size())
    fail("{} has fewer particles than when it was read: it was changed meanwhile", set.source.string());
}

void write_optics(std::ostream& stream, const ParticleSet& set) {
  stream << kVersion;
  io::write_star_head(stream,
                      {"optics",
                       {"rlnOpticsGroupName", "rlnOpticsGroup", "rlnVoltage", "rlnSphericalAberration",
                        "rlnAmplitudeContrast", "rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality",
                        "rlnMagMat00", "rlnMagMat01", "rlnMagMat10", "rlnMagMat11"},
                       false});
  for (std::size_t g = 0; g < set.optics_groups.size(); ++g) {
    const auto& o = set.optics_groups[g];
    stream << fmt::format("{} {} {:.4f} {:.4f} {:.4f} {:.6f} {} 2 {:.8f} {:.8f} {:.8f} {:.8f}\n", o.name,
                          g + 1, o.voltage_kv, o.cs_mm, o.amplitude_contrast, o.pixel_size, o.box,
                          o.magnification[0], o.magnification[1], o.magnification[2], o.magnification[3]);
  }
}

/// RELION takes a file for a stack by its extension, or by ":mrcs" behind the name.
std::string relion_image_name(const ParticleSet& set, std::size_t i) {
  auto name = image_name(set, i);
  return name.ends_with(".mrcs") ? name : name + ":mrcs";
}

void write_as_relion(std::ostream& stream, const ParticleSet& set, const std::vector<ExtraColumn>& extra) {
  write_optics(stream, set);
  stream << kVersion;
  io::StarTable table{"particles",
                      {"rlnImageName", "rlnOpticsGroup", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi",
                       "rlnOriginXAngst", "rlnOriginYAngst", "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle",
                       "rlnPhaseShift", "rlnCtfBfactor", "rlnCtfScalefactor"},
                      false};
  const bool halves =
      std::all_of(set.particles.begin(), set.particles.end(), [](const Particle& p) { return p.half != 0; });
  if (halves) table.columns.emplace_back("rlnRandomSubset");
  for (const auto& e : extra) table.columns.push_back(e.label);
  io::write_star_head(stream, table);
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto& p = set.particles[i];
    geometry::Mat3 r;
    std::copy(p.rotation.begin(), p.rotation.end(), r.begin());
    const auto e = geometry::euler_from_rotation(r);
    stream << fmt::format(
        "{} {} {:.5f} {:.5f} {:.5f} {:.4f} {:.4f} {:.2f} {:.2f} {:.4f} {:.4f} {:.3f} {:.5f}",
        relion_image_name(set, i), p.optics_group + 1, e[0] * kDegrees, e[1] * kDegrees, e[2] * kDegrees,
        p.shift[0], p.shift[1], p.ctf.defocus_u, p.ctf.defocus_v, p.ctf.defocus_angle * kDegrees,
        p.ctf.phase_shift * kDegrees, p.ctf.b_factor, p.ctf.scale);
    if (halves) stream << ' ' << int{p.half};
    for (const auto& column : extra) stream << ' ' << column.value(i);
    stream << '\n';
  }
}

}  // namespace

void write_particles_star(const std::filesystem::path& path, const ParticleSet& set,
                          const std::vector<ExtraColumn>& extra) {
  replace_file_stream(path, [&](std::ostream& stream) {
    set.source.extension() == ".star" ? copy_star(stream, set, extra) : write_as_relion(stream, set, extra);
  });
}

ParticleSet chosen_of(const ParticleSet& set, std::span<const std::size_t> chosen) {
  ParticleSet out = set;
  out.particles.clear(), out.rows.clear();
  for (const auto i : chosen) out.particles.push_back(set.particles[i]), out.rows.push_back(set.rows[i]);
  return out;
}

void write_particles_cs(const std::filesystem::path& path, const ParticleSet& set) {
  if (set.source.extension() != ".cs")
    fail("{}: {} is no cryoSPARC file, and only these become .cs: write a .star file", path.string(),
         set.source.string());
  const auto source = io::read_npy(set.source);
  if (source.rows() != set.source_rows)
    fail("{} has fewer or more particles than when it was read: it was changed meanwhile",
         set.source.string());
  io::write_npy_rows(path, source, set.rows);
}

}  // namespace cryoscape::particles
