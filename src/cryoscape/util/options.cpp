#include "cryoscape/util/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "cryoscape/util/error.hpp"

namespace cryoscape {
namespace {

template <class T>
struct Unwrap {
  using type = T;
};
template <class T>
struct Unwrap<std::optional<T>> {
  using type = T;
};

void check_number(const Option& option, double value) {
  if (option.minimum && !(value >= *option.minimum))
    throw UsageError(fmt::format("--{} is {}, but must be at least {}", option.name, value, *option.minimum));
  if (option.maximum && !(value <= *option.maximum))
    throw UsageError(fmt::format("--{} is {}, but must be at most {}", option.name, value, *option.maximum));
}

void check(const Option& option, const std::string& value) {
  if (!option.choices.empty() &&
      std::find(option.choices.begin(), option.choices.end(), value) == option.choices.end())
    throw UsageError(fmt::format("--{} is '{}', but must be one of: {}", option.name, value,
                                 fmt::join(option.choices, ", ")));
}
void check(const Option& option, double value) { check_number(option, value); }
void check(const Option& option, int value) { check_number(option, value); }
void check(const Option&, bool) {}
void check(const Option& option, const std::vector<double>& values) {
  for (double value : values) check_number(option, value);
}
template <class T>
void check(const Option& option, const std::optional<T>& value) {
  if (value) check(option, *value);
}

/// Assigns a TOML value to a target; false when its type does not fit.
template <class T>
bool assign(const toml::node& node, T& target) {
  if constexpr (std::is_same_v<T, std::vector<double>>) {
    const auto* array = node.as_array();
    if (!array) return false;
    std::vector<double> values;
    for (const auto& element : *array) {
      const auto value = element.value<double>();
      if (!value) return false;
      values.push_back(*value);
    }
    target = values;
    return true;
  } else {
    using Value = typename Unwrap<T>::type;
    if constexpr (std::is_same_v<Value, bool>) {
      if (!node.is_boolean()) return false;
    } else if constexpr (std::is_same_v<Value, int>) {
      if (!node.is_integer()) return false;
    }
    const auto value = node.value<Value>();
    if (!value) return false;
    target = *value;
    return true;
  }
}

std::string quoted(const std::string& text) {
  std::ostringstream stream;
  stream << toml::value<std::string>(text);
  return stream.str();
}

std::string toml_value(bool v) { return v ? "true" : "false"; }
std::string toml_value(int v) { return fmt::format("{}", v); }
std::string toml_value(double v) {
  auto text = fmt::format("{}", v);
  return text.find_first_of(".einf") == std::string::npos ? text + ".0" : text;
}
std::string toml_value(const std::string& v) { return quoted(v); }
std::string toml_value(const std::vector<double>& v) {
  std::vector<std::string> parts;
  for (double value : v) parts.push_back(toml_value(value));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}
template <class T>
std::string toml_value(const std::optional<T>& v) {
  return v ? toml_value(*v) : std::string();
}

}  // namespace

Option& OptionSet::add(std::string name, Option::Target target, std::string help) {
  if (find(name)) throw std::logic_error("option declared twice: " + name);
  options_.push_back({std::move(name), target, std::move(help), {}, {}, {}, false});
  return options_.back();
}

Option* OptionSet::find(const std::string& name) {
  const auto found =
      std::find_if(options_.begin(), options_.end(), [&](const Option& o) { return o.name == name; });
  return found == options_.end() ? nullptr : &*found;
}

void OptionSet::validate() const {
  for (const auto& option : options_)
    std::visit([&](const auto* target) { check(option, *target); }, option.target);
}

void OptionSet::read_toml(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw UsageError(fmt::format("{} does not exist or is no file", file.string()));
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& e) {
    throw UsageError(
        fmt::format("{}:{}: {}", file.string(), e.source().begin.line, std::string(e.description())));
  }
  for (const auto& [key, node] : table) {
    if (node.is_table()) continue;
    const auto where = fmt::format("{}:{}", file.string(), node.source().begin.line);
    Option* option = find(std::string(key.str()));
    if (!option) throw UsageError(fmt::format("{}: unknown option '{}'", where, std::string(key.str())));
    if (option->given) continue;
    const bool fits = std::visit([&](auto* target) { return assign(node, *target); }, option->target);
    if (!fits) throw UsageError(fmt::format("{}: '{}' has a value of the wrong type", where, option->name));
    option->given = true;
  }
}

std::string OptionSet::to_toml() const {
  std::string text;
  for (const auto& option : options_) {
    const auto value = std::visit([](const auto* target) { return toml_value(*target); }, option.target);
    text += fmt::format("# {}\n{}{} = {}\n", option.help, value.empty() ? "# " : "", option.name, value);
  }
  return text;
}

}  // namespace cryoscape
