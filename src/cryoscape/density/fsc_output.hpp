#pragma once
#include <filesystem>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "cryoscape/density/backproject.hpp"

namespace cryoscape::density {

/// Writes the loop data_`name` of FSC curves, a row per shell, with RELION's labels; `extent`: the box in Å.
void write_fsc_table(std::ostream& stream, const std::string& name, double extent, const FscCurves& fsc);

/// Writes FSC curves, the Guinier plot and the resolution with the labels of RELION's postprocess.star; with
/// a map to check against, its FSC as the table data_check.
void write_fsc_star(const std::filesystem::path& path, const Reconstruction& result);

/// What a reconstruction came to, for people.
std::string reconstruction_text(const Reconstruction& result);
/// The same for programs; a resolution that was not reached is null.
nlohmann::ordered_json reconstruction_json(const Reconstruction& result);

}  // namespace cryoscape::density
