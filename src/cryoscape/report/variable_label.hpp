#pragma once
#include <string>

#include "cryoscape/report/landscape_record.hpp"

namespace cryoscape::report {

/// A variable as text names it: of files the last part of the path only, "path:adk.pdb".
std::string variable_name(const std::string& variable);

/// What an axis along the k-th variable of a free energy says: what it is, with its unit.
std::string variable_label(const FreeEnergyRecord& record, std::size_t k);

}  // namespace cryoscape::report
