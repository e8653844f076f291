#include "cryoscape/report/page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/report/markup.hpp"
#include "cryoscape/report/page_style.hpp"
#include "cryoscape/report/svg_plot.hpp"
#include "cryoscape/util/files.hpp"

namespace cryoscape::report {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kSummaryStates = 6;

std::string percent(double value, double error) {
  return std::isfinite(value) ? with_error(100 * value, 100 * error, 3) + " %" : "–";
}

std::string row(const std::string& term, const std::string& html) {
  return html.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape(term), html);
}

std::string row_text(const std::string& term, const std::string& text) { return row(term, escape(text)); }

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? "" : fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape(title), content);
}

/// A sentence on what is not there and the command that makes it.
std::string absent(const std::string& what, const std::string& command) {
  return fmt::format("<p class=\"absent\">{}: run <code>{}</code>.</p>\n", escape(what), escape(command));
}

std::string figure_html(const Figure& figure) {
  return fmt::format(
      "<figure>\n{}<figcaption>{} <a class=\"save\" download=\"{}.svg\" href=\"{}\">Save as "
      "SVG</a></figcaption>\n</figure>\n",
      figure.svg, escape(figure.caption), escape(figure.name), data_uri("image/svg+xml", figure.svg));
}

std::string figures_html(const std::vector<Figure>& figures) {
  std::string out;
  for (const auto& figure : figures) out += figure_html(figure);
  return out;
}

std::string particle_text(const RunRecord& record, const RunArrays& arrays) {
  const auto count = arrays.particles > 0 ? static_cast<long long>(arrays.particles)
                     : record.states      ? record.states->particles
                                          : 0;
  if (count == 0) return "";
  auto text = grouped(count);
  if (arrays.unusable > 0)
    text += fmt::format(" ({} unusable)", grouped(static_cast<long long>(arrays.unusable)));
  return text;
}

std::string state_text(const StateTable& table) {
  if (table.states.empty()) return "none found";
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < std::min(kSummaryStates, table.states.size()); ++k)
    parts.push_back(percent(table.states[k].population, table.states[k].population_error));
  if (table.states.size() > kSummaryStates) parts.push_back("…");
  return fmt::format("{}: {}{}", table.states.size(), fmt::join(parts, ", "),
                     table.continuous ? " (reported as continuous)" : "");
}

std::string partition_text(const PartitionRecord& p) {
  if (!std::isfinite(p.value)) return "";
  if (!(p.upper - p.lower > 1e-6)) return fmt::format("{} (exact)", with_error(p.value, 0, 6));
  return fmt::format("{} (between {} and {})", with_error(p.value, 0, 6), with_error(p.lower, 0, 6),
                     with_error(p.upper, 0, 6));
}

std::string training_rows(const TrainingRecord& training) {
  if (training.epochs.empty()) return "";
  const auto& last = training.epochs.back();
  std::string out = row_text("Training", fmt::format("{:.0f} epoch{}, {} steps", last.epoch,
                                                     last.epoch == 1 ? "" : "s", grouped(training.steps)));
  if (std::isfinite(last.held_out_bound))
    out += row_text("Held-out bound",
                    with_error(last.held_out_bound, last.held_out_error, 8) + " nats per particle");
  if (std::isfinite(last.images_per_second))
    out += row_text("Speed", grouped(std::llround(last.images_per_second)) + " images per second");
  return out + row_text("log Z of the prior", partition_text(training.partition));
}

std::string images_text(const RunRecord& record) {
  const auto box = record.run_value("box"), pixel = record.run_value("pixel-size");
  if (box.empty() || pixel.empty()) return "";
  return fmt::format("box {} at {:.4g} Å per pixel", box, std::strtod(pixel.c_str(), nullptr));
}

std::string network_text(const RunRecord& record) {
  if (record.option("decoder").empty()) return "";
  return fmt::format("{} encoder, {} decoder, {} latents", record.option("encoder"), record.option("decoder"),
                     record.option("latent-dim"));
}

std::string summary(const RunRecord& record, const RunArrays& arrays) {
  std::string rows = row_text("Particles", particle_text(record, arrays));
  if (record.states) rows += row_text("States", state_text(*record.states));
  rows += training_rows(record.training);
  rows += row_text("Prior", record.option("prior")) + row_text("Network", network_text(record));
  rows += row_text("Training images", images_text(record));
  for (const auto& [term, value] : {std::pair{"Particle file", record.run_value("particles")},
                                    std::pair{"Reference model", record.option("model")},
                                    std::pair{"Command", record.run_value("command-line")}})
    if (!value.empty()) rows += row(term, fmt::format("<code>{}</code>", escape(value)));
  return section("Summary", "<dl>\n" + rows + "</dl>\n");
}

std::string warnings(const RunRecord& record) {
  auto lines = record.warnings;
  if (const auto& damaged = record.training.damaged_lines; !damaged.empty())
    lines.push_back(fmt::format("train.jsonl: {} damaged line{} left out, first line {}", damaged.size(),
                                damaged.size() > 1 ? "s" : "", damaged.front()));
  std::string items;
  for (const auto& line : lines) items += fmt::format("<li>{}</li>\n", escape(line));
  return items.empty() ? "" : section("Warnings", "<ul class=\"warnings\">\n" + items + "</ul>\n");
}

/// A file of the run as a link, where it exists.
std::string file_link(const RunRecord& record, const std::string& path) {
  if (path.empty() || !fs::exists(record.folder / relative_path(path))) return "–";
  return fmt::format("<a href=\"{}\">{}</a>", relative_link(path), escape(path));
}

std::string state_rows(const RunRecord& record, bool maps) {
  std::string rows;
  for (const auto& state : record.states->states) {
    rows += fmt::format(
        "<tr><td><span class=\"swatch\" "
        "style=\"background:{}\"></span>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>",
        series_colour(static_cast<std::size_t>(state.id - 1)), state.id,
        percent(state.population, state.population_error), with_error(state.energy, state.energy_error, 3),
        grouped(state.particles), file_link(record, state.model));
    rows += (maps ? fmt::format("<td>{}</td>", file_link(record, state.map)) : "") + "</tr>\n";
  }
  return rows;
}

std::string states(const RunRecord& record, const RunFigures& figures) {
  const std::string command = fmt::format("cryoscape landscape {}", record.folder.string());
  if (!record.states) return section("States", absent("The run has no states yet", command));
  if (record.states->states.empty()) return section("States", "<p>No states were found.</p>\n");
  const auto& list = record.states->states;
  const bool maps = std::any_of(list.begin(), list.end(), [](const auto& s) { return !s.map.empty(); });
  const auto table = fmt::format(
      "<table>\n<thead><tr><th>State</th><th>Population</th><th>Energy "
      "(kT)</th><th>Particles</th><th>Model</th>{}</tr></thead>\n"
      "<tbody>\n{}</tbody>\n</table>\n",
      maps ? "<th>Map</th>" : "", state_rows(record, maps));
  return section("States", table + figures_html(figures.states));
}

std::string conformations(const RunRecord& record, const RunFigures& figures) {
  auto content = figures_html(figures.conformations);
  if (content.empty())
    content =
        absent("The run has no landscape yet", fmt::format("cryoscape landscape {}", record.folder.string()));
  return section("Conformations", content);
}

std::string energy(const RunRecord& record, const RunFigures& figures) {
  auto content = figures_html(figures.energy);
  if (const auto& notice = record.landscape.energy_notice; !notice.empty())
    content += fmt::format("<p>No minima and paths: {}.</p>\n", escape(notice));
  return section("Energy landscape", content);
}

std::string training(const RunRecord& record, const RunFigures& figures) {
  const std::string command = fmt::format("cryoscape train … --out {} --resume", record.folder.string());
  return section("Training", figures.training.empty()
                                 ? absent("No epoch of training is recorded in train.jsonl yet", command)
                                 : figures_html(figures.training));
}

std::string latents(const RunRecord& record, const RunFigures& figures) {
  const std::string command = fmt::format("cryoscape train … --out {} --resume", record.folder.string());
  return section("Latents", figures.latents.empty() ? absent("The run has no latents yet", command)
                                                    : figures_html(figures.latents));
}

std::string option_rows(const std::vector<OptionRecord>& options) {
  std::string rows;
  for (const auto& option : options)
    rows += fmt::format("<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>\n",
                        escape(option.name), escape(option.value), escape(option.help));
  return rows;
}

std::string option_table(const char* title, const std::vector<OptionRecord>& options) {
  return options.empty()
             ? ""
             : fmt::format(
                   "<table class=\"options\">\n<thead><tr><th>{}</th><th>Value</th><th>Meaning</th></tr>"
                   "</thead>\n<tbody>\n{}</tbody>\n</table>\n",
                   title, option_rows(options));
}

std::string options(const RunRecord& record) {
  return fmt::format(
      "<section>\n<details>\n<summary>All options of the run</summary>\n{}{}</details>\n</section>\n",
      option_table("Option", record.options), option_table("As run", record.run));
}

}  // namespace

std::string page_head(const std::string& title, const std::string& version) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{0} – "
      "CryoScape</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<header>\n<h1>{0}</h1>\n<p>CryoScape{2}{3}</p>\n</header>\n",
      escape(title), kPageStyle, version.empty() ? "" : " ", escape(version));
}

std::string page_html(const RunRecord& record, const RunArrays& arrays, const RunFigures& figures) {
  const auto name = fs::absolute(record.folder / "").lexically_normal().parent_path().filename().string();
  const auto version = record.run_value("version");
  return page_head(name, version) + "<main>\n" + summary(record, arrays) + warnings(record) +
         states(record, figures) + conformations(record, figures) + energy(record, figures) +
         section("Maps", figures_html(figures.maps)) + section("Outliers", figures_html(figures.outliers)) + training(record, figures) +
         latents(record, figures) + options(record) + "</main>\n</body>\n</html>\n";
}

void write_report(const fs::path& run_folder) {
  const auto record = read_run_record(run_folder);
  for (const auto line : record.training.damaged_lines)
    spdlog::warn("warning: {}, line {}: no JSON object, left out", (run_folder / "train.jsonl").string(),
                 line);
  const auto arrays = read_run_arrays(run_folder);
  const auto figures = run_figures(record, arrays);
  replace_text_file(run_folder / "report.html", page_html(record, arrays, figures));
  write_figures(figures, run_folder);
}

}  // namespace cryoscape::report
