#include "cryoscape/report/variable_label.hpp"

#include <fmt/format.h>

#include <map>
#include <vector>

namespace cryoscape::report {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == ';')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

std::string name_of(const std::string& variable) {
  const auto colon = variable.find(':');
  const auto kind = variable.substr(0, colon);
  if (kind != "path" && kind != "rmsd") return variable;
  const auto slash = variable.find_last_of("/\\");
  return slash == std::string::npos ? variable : kind + ":" + variable.substr(slash + 1);
}

std::string what_of(const std::string& variable) {
  static const std::map<std::string, std::string> kWords{{"path", "Position along the path"},
                                                         {"distance", "Distance"},
                                                         {"angle", "Angle"},
                                                         {"dihedral", "Dihedral angle"},
                                                         {"rmsd", "RMSD"}};
  if (variable.starts_with("pc")) return "Principal component " + variable.substr(2);
  const auto found = kWords.find(variable.substr(0, variable.find(':')));
  return found == kWords.end() ? name_of(variable) : found->second;
}

}  // namespace

std::string variable_name(const std::string& variable) {
  std::string out;
  for (const auto& part : split(variable)) out += (out.empty() ? "" : " and ") + name_of(part);
  return out;
}

std::string variable_label(const FreeEnergyRecord& record, std::size_t k) {
  const auto parts = split(record.variable);
  const auto what = k < parts.size() ? what_of(parts[k]) : std::string();
  const auto& unit = record.units[k];
  if (unit.empty()) return what;
  return fmt::format("{} ({})", what, unit == "A" ? "Å" : unit == "degrees" ? "°" : unit);
}

}  // namespace cryoscape::report
