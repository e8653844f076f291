#include "cryoscape/report/comparison_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cryoscape/report/markup.hpp"
#include "cryoscape/report/page.hpp"

namespace cryoscape::report {
namespace {

using nlohmann::json;

constexpr const char* kUnknown = "-";

json or_null(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? json(*value) : json(nullptr);
}

std::string or_dash(const std::optional<double>& value, int digits) {
  return value && std::isfinite(*value) ? fmt::format("{:.{}f}", *value, digits) : kUnknown;
}

std::string with_error(const std::optional<double>& value, const std::optional<double>& error, int digits) {
  return value && error ? or_dash(value, digits) + " +- " + or_dash(error, digits) : or_dash(value, digits);
}

std::optional<double> mean_of(const std::map<std::uint32_t, double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [row, value] : values) sum += value;
  return sum / static_cast<double>(values.size());
}

json states_json(const RunScores& run) {
  json out = json::array();
  if (run.found)
    for (const auto& state : *run.found) {
      json entry{{"id", state.id},
                 {"population", state.population},
                 {"population_error", or_null(state.population_error)}};
      entry["true_state"] = state.nearest > 0 ? json(state.nearest) : json(nullptr);
      entry["rmsd"] = state.nearest > 0 ? json(state.rmsd) : json(nullptr);
      out.push_back(std::move(entry));
    }
  return out;
}

json true_states_json(const TruthScores& truth) {
  json out = json::array();
  for (const auto& state : truth.states)
    out.push_back({{"id", state.id},
                   {"true_population", state.true_population},
                   {"population", state.population},
                   {"found", state.found > 0 ? json(state.found) : json(nullptr)},
                   {"rmsd", or_null(state.rmsd)}});
  return out;
}

json run_json(const RunScores& run, const RunScores& first) {
  const auto truth = run.truth.value_or(TruthScores{});
  const auto difference = bound_difference(first.held_out, run.held_out);
  json out{{"run", run.run.string()},
           {"prior", run.prior},
           {"held_out_bound", or_null(run.held_out_bound)},
           {"held_out_importance_bound", or_null(mean_of(run.held_out.importance_bound))},
           {"bound_difference", or_null(difference.mean)},
           {"bound_difference_error", or_null(difference.standard_error)},
           {"bound_difference_particles", difference.particles},
           {"bound_difference_note", difference.note.empty() ? json(nullptr) : json(difference.note)},
           {"population_error", or_null(truth.population_error)},
           {"particles_compared", run.truth ? json(truth.particles) : json(nullptr)},
           {"median_rmsd", or_null(truth.median_rmsd)},
           {"mean_rmsd", or_null(truth.mean_rmsd)},
           {"median_rmsd_one_structure", or_null(truth.median_rmsd_one_structure)},
           {"median_rmsd_structure_per_state", or_null(truth.median_rmsd_structure_per_state)},
           {"path_error", or_null(truth.path_error)},
           {"path_correlation_within_state", or_null(truth.path_correlation_within_state)},
           {"ml_error_over_bound", or_null(truth.path.ml_error_over_bound)},
           {"posterior_error_over_optimal", or_null(truth.path.posterior_error_over_optimal)},
           {"free_energy_rms", or_null(truth.path.free_energy_rms)},
           {"barrier_error", or_null(truth.path.barrier_error)},
           {"state_ari", or_null(truth.state_ari)},
           {"outlier_auc", or_null(truth.outlier_auc)},
           {"outlier_auc_noise", or_null(truth.outlier_auc_noise)},
           {"outlier_auc_wrong_molecule", or_null(truth.outlier_auc_wrong_molecule)},
           {"outlier_auc_energy", or_null(truth.outlier_auc_energy)},
           {"samples_intact", run.samples ? json(run.samples->intact) : json(nullptr)},
           {"samples_spread", run.samples ? json(run.samples->spread) : json(nullptr)},
           {"active_latents", run.latents ? json(run.latents->active) : json(nullptr)},
           {"latents", run.latents ? json(run.latents->of) : json(nullptr)},
           {"images_per_second", or_null(run.images_per_second)},
           {"found_states", states_json(run)},
           {"true_states", true_states_json(truth)}};
  out["log_partition"] = nullptr;
  if (run.log_partition) out["log_partition"] = *run.log_partition;
  out["states"] = run.found ? json(run.found->size()) : json(nullptr);
  return out;
}

/// Characters as shown: bytes that begin one in UTF-8.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

using Row = std::vector<std::string>;

/// Rows with the first column to the left and all others to the right.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (widths.size() <= c) widths.push_back(0);
      widths[c] = std::max(widths[c], width(row[c]));
    }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - width(row[c]), ' ');
      out += c == 0 ? row[c] + padding : "  " + padding + row[c];
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string log_partition_text(const RunScores& run) {
  if (!run.log_partition) return kUnknown;
  const auto [lower, upper] = *run.log_partition;
  return lower == upper ? fmt::format("{:.3f}", lower) : fmt::format("{:.3f} to {:.3f}", lower, upper);
}

/// One row per quantity, one column per run.
std::vector<Row> main_rows(std::span<const RunScores> runs) {
  std::vector<Row> rows;
  const auto add = [&](const char* label, const std::function<std::string(const RunScores&)>& cell) {
    rows.push_back({label});
    for (const auto& run : runs) rows.back().push_back(cell(run));
  };
  const auto add_truth = [&](const char* label, std::optional<double> TruthScores::*field, int digits) {
    add(label,
        [=](const RunScores& run) { return run.truth ? or_dash((*run.truth).*field, digits) : kUnknown; });
  };
  add("run", [](const RunScores& run) { return run.run.string(); });
  add("prior", [](const RunScores& run) { return run.prior; });
  add("held-out bound, nats", [](const RunScores& run) { return or_dash(run.held_out_bound, 3); });
  add("  importance-weighted",
      [](const RunScores& run) { return or_dash(mean_of(run.held_out.importance_bound), 3); });
  if (runs.size() > 1)
    add("  minus the first run's, paired", [&](const RunScores& run) {
      const auto difference = bound_difference(runs[0].held_out, run.held_out);
      return &run == runs.data() ? std::string(kUnknown)
                                 : with_error(difference.mean, difference.standard_error, 3);
    });
  add("log Z of the prior", log_partition_text);
  add("active latents", [](const RunScores& run) {
    return run.latents ? fmt::format("{} of {}", run.latents->active, run.latents->of) : kUnknown;
  });
  add("states",
      [](const RunScores& run) { return run.found ? fmt::format("{}", run.found->size()) : kUnknown; });
  add_truth("population error, points", &TruthScores::population_error, 1);
  add_truth("agreement of states (ARI)", &TruthScores::state_ari, 3);
  add_truth("median RMSD per particle, A", &TruthScores::median_rmsd, 3);
  add_truth("  with one structure for all", &TruthScores::median_rmsd_one_structure, 3);
  add_truth("  with one structure per state", &TruthScores::median_rmsd_structure_per_state, 3);
  add_truth("mean RMSD per particle, A", &TruthScores::mean_rmsd, 3);
  add_truth("path error, of 0 to 1", &TruthScores::path_error, 4);
  add_truth("correlation along path in a state", &TruthScores::path_correlation_within_state, 3);
  const auto add_path = [&](const char* label, std::optional<double> PathScores::*field, int digits) {
    add(label,
        [=](const RunScores& run) { return run.truth ? or_dash(run.truth->path.*field, digits) : kUnknown; });
  };
  add_path("maximum-likelihood error over its bound", &PathScores::ml_error_over_bound, 3);
  add_path("posterior error over the best attainable", &PathScores::posterior_error_over_optimal, 3);
  add_path("free energy, r.m.s. error, kT", &PathScores::free_energy_rms, 3);
  add_path("  barriers, largest error, kT", &PathScores::barrier_error, 2);
  add_truth("junk by its outlier score (AUC)", &TruthScores::outlier_auc, 3);
  add_truth("  by the prior's energy", &TruthScores::outlier_auc_energy, 3);
  add("the prior's samples intact, %",
      [](const RunScores& run) { return run.samples ? or_dash(100 * run.samples->intact, 1) : kUnknown; });
  add("  their spread, A",
      [](const RunScores& run) { return run.samples ? or_dash(run.samples->spread, 2) : kUnknown; });
  add("images per second", [](const RunScores& run) { return or_dash(run.images_per_second, 0); });
  return rows;
}

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

/// The states of a run that has some.
std::vector<Row> state_rows(const RunScores& run) {
  std::vector<Row> rows;
  if (run.truth && !run.truth->states.empty()) {
    rows.push_back({"  true state", "population, %", "found, %", "error", "found state", "RMSD, A"});
    for (const auto& s : run.truth->states)
      rows.push_back({fmt::format("  {}", s.id), percent(s.true_population), percent(s.population),
                      fmt::format("{:+.1f}", 100 * (s.population - s.true_population)),
                      s.found > 0 ? fmt::format("{}", s.found) : kUnknown, or_dash(s.rmsd, 2)});
    for (const auto& f : *run.found) {
      const auto matched = [&](const StateScore& s) { return s.found == f.id; };
      if (std::none_of(run.truth->states.begin(), run.truth->states.end(), matched))
        rows.push_back({fmt::format("  {}, extra", f.nearest), kUnknown, percent(f.population), kUnknown,
                        fmt::format("{}", f.id), or_dash(f.rmsd, 2)});
    }
  } else {
    rows.push_back({"  state", "population, %"});
    for (const auto& f : *run.found) {
      std::optional<double> error;
      if (f.population_error) error = 100 * *f.population_error;
      rows.push_back({fmt::format("  {}", f.id), with_error(100 * f.population, error, 1)});
    }
  }
  return rows;
}

std::string without_states(const RunScores& run) {
  return fmt::format("{}: no states yet: run cryoscape landscape {}", run.run.string(), run.run.string());
}

std::string states_title(const RunScores& run) { return fmt::format("states of {}", run.run.string()); }

/// What keeps bounds from being compared, a line for each run.
std::vector<std::string> notes(std::span<const RunScores> runs) {
  std::vector<std::string> out;
  for (const auto& run : runs.subspan(runs.empty() ? 0 : 1))
    if (const auto note = bound_difference(runs[0].held_out, run.held_out).note; !note.empty())
      out.push_back(fmt::format("{}: no difference of bounds: {}", run.run.string(), note));
  return out;
}

std::string html_table(const std::vector<Row>& rows) {
  std::string out = "<table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "<tr>";
    for (const auto& cell : rows[r])
      out += r == 0 ? fmt::format("<th>{}</th>", escape(cell)) : fmt::format("<td>{}</td>", escape(cell));
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

}  // namespace

json comparison_json(std::span<const RunScores> runs) {
  json out{{"runs", json::array()}};
  for (const auto& run : runs) out["runs"].push_back(run_json(run, runs[0]));
  return out;
}

std::string comparison_text(std::span<const RunScores> runs) {
  std::string out = aligned(main_rows(runs));
  for (const auto& note : notes(runs)) out += "\n" + note + "\n";
  for (const auto& run : runs)
    out += run.found ? "\n" + states_title(run) + "\n" + aligned(state_rows(run))
                     : "\n" + without_states(run) + "\n";
  return out;
}

std::string comparison_html(std::span<const RunScores> runs) {
  std::string out = page_head("Comparison of runs") + "<main>\n<section>\n" + html_table(main_rows(runs));
  for (const auto& note : notes(runs)) out += fmt::format("<p class=\"absent\">{}</p>\n", escape(note));
  out += "</section>\n";
  for (const auto& run : runs)
    out += run.found ? fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape(states_title(run)),
                                   html_table(state_rows(run)))
                     : fmt::format("<section>\n<p class=\"absent\">{}</p>\n</section>\n",
                                   escape(without_states(run)));
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace cryoscape::report
