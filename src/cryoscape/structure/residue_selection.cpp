#include "cryoscape/structure/residue_selection.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <regex>
#include <set>

#include "cryoscape/util/error.hpp"

namespace cryoscape::structure {
namespace {

/// One part of a selection: residues [first, last] of a chain, or of all where none is named.
struct Part {
  std::optional<std::string> chain;
  int first = std::numeric_limits<int>::min(), last = std::numeric_limits<int>::max();
};

int number_of(const std::string& text, const std::string& selection) {
  try {
    return std::stoi(text);
  } catch (const std::out_of_range&) {
    fail("selection '{}': {} is too large for a residue number", selection, text);
  }
}

Part parse_part(const std::string& text, const std::string& selection) {
  static const std::regex pattern(R"((?:([^:]*):)?(?:(-?\d+)(?:-(-?\d+))?)?)");
  std::smatch match;
  if (text.empty() || !std::regex_match(text, match, pattern))
    fail("'{}' is no selection of residues: write A:30-59, A:30, A: or 30-59, joined by +", selection);
  Part part;
  if (match[1].matched) part.chain = match[1].str();
  if (match[2].matched) part.first = part.last = number_of(match[2], selection);
  if (match[3].matched) part.last = number_of(match[3], selection);
  if (part.last < part.first)
    fail("selection '{}': {} to {} is no range of residues", selection, part.first, part.last);
  return part;
}

}  // namespace

std::vector<std::uint32_t> select_residues(const BeadModel& beads, const std::string& selection) {
  std::set<std::uint32_t> chosen;
  for (std::size_t begin = 0; begin <= selection.size();) {
    const auto end = std::min(selection.find('+', begin), selection.size());
    const auto text = selection.substr(begin, end - begin);
    const auto part = parse_part(text, selection);
    bool found = false;
    for (std::size_t i = 0; i < beads.size(); ++i) {
      const auto& atom = beads.records.atoms[i];
      if (part.chain && *part.chain != atom.chain) continue;
      if (atom.residue_number < part.first || atom.residue_number > part.last) continue;
      chosen.insert(static_cast<std::uint32_t>(i));
      found = true;
    }
    if (!found) fail("selection '{}': no residue of the model belongs to '{}'", selection, text);
    begin = end + 1;
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace cryoscape::structure
