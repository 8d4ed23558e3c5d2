#include "gihflow/run/sweep_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/provenance.hpp"
#include "gihflow/run/problem.hpp"
#include "run/toml_values.hpp"

namespace gihflow {

namespace {

constexpr std::size_t most_members = 1'000'000;
constexpr std::size_t longest_name = 120;  // characters
constexpr std::size_t most_faults = 20;    // of members, listed; of more only their number
constexpr Groups train_groups = groups_of<TrainSetting>;

// Options on which no result depends and that a plan may have nonetheless.
constexpr std::array plan_handling{Field::checkpoint_every, Field::max_wall};

// One option of [grid], or the options of a [zip]: for each k they take their k-th values together.
struct Axis {
  std::vector<Field> fields;
  std::vector<std::vector<std::string>> values;  // [values, fields]
};

// A name for a file, see Member::name.
std::string file_name(const std::string& text) {
  std::string name = text;
  for (char& c : name) {
    const bool plain = std::string_view("=.,+-_").find(c) != std::string_view::npos ||
                       (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain) c = '-';
  }
  if (name == text && name.size() <= longest_name) return name;
  name.resize(std::min(name.size(), longest_name));
  return fmt::format("{}_{:016x}", name, fnv1a(std::as_bytes(std::span(text))));
}

// Adds the members of a point, with seeds from `seed` on.
void add_replicas(Plan& plan, const std::map<Field, std::string>& options, Index point,
                  std::uint64_t seed) {
  for (Index replica = 0; replica < plan.replicas; ++replica) {
    Member member{"", options, point};
    member.options[Field::seed] = fmt::format("{}", seed + static_cast<std::uint64_t>(replica));
    plan.members.push_back(std::move(member));
  }
}

// Throws InputError for two members of one name.
void name_members(Plan& plan) {
  std::set<std::string> names;
  for (Member& member : plan.members) {
    std::string text;
    for (const Field field : plan.swept) {
      text +=
          fmt::format("{}{}={}", text.empty() ? "" : "_", name(field), member.options.at(field));
    }
    member.name = file_name(text.empty() ? "run" : text);
    if (!names.insert(member.name).second) {
      throw InputError(fault(plan.origin, "", "two members have the values {}", text));
    }
  }
}

class PlanReader {
 public:
  explicit PlanReader(const std::string& path) {
    plan_.origin = path;
    if (is_regular(path, Field::none) && is_hdf5(path)) {
      throw InputError(fault(path, "", "must be a plan in TOML, not a file that gihflow wrote"));
    }
    plan_.text = read_text(path, Field::none);
  }

  Plan read() {
    const toml::table table = parse_toml(plan_.text, plan_.origin);
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (name == "grid") {
        read_grid(node);
      } else if (name == "zip") {
        read_zips(node);
      } else if (name == gihflow::name(Field::replicas)) {
        read_replicas(node);
      } else {
        read_shared(name, node);
      }
    }
    read_checks();
    faults_.throw_if_any();
    expand();
    return std::move(plan_);
  }

 private:
  void refuse(Field field, const std::string& value, Phrase allowed) {
    faults_.add({field, value, std::move(allowed), plan_.origin});
  }

  // The value of an option as text on a command line; nullopt after a fault.
  std::optional<std::string> text_of(const Option& option, const toml::node& node) {
    const std::optional<Value> value = value_of_node(node);
    if (!value) {
      refuse(option.field, "", "must be " + option.allowed);
      return std::nullopt;
    }
    Setting scratch;
    ErrorList faults;
    set_option(scratch, option, *value, plan_.origin, faults);
    faults_.add(faults);
    if (!faults.empty()) return std::nullopt;
    return to_string(option.get(scratch).value_or(*value));
  }

  void read_shared(const std::string& key, const toml::node& node) {
    const Option* const option = option_of_key(key, plan_.origin, train_groups, faults_);
    if (option == nullptr) return;
    const bool trains = option->belongs_to(train_groups);
    if (trains && option->role == Role::handling &&
        std::find(plan_handling.begin(), plan_handling.end(), option->field) ==
            plan_handling.end()) {
      refuse(option->field, "",
             "must be left out of a plan: members have files of their own, and "
             "how they are run is for the command line");
      return;
    }
    const std::optional<std::string> text = text_of(*option, node);
    if (text && trains) shared_[option->field] = *text;
    if (text && option->belongs_to(groups_of<CheckSetting>)) checks_[option->field] = *text;
  }

  // The options of `check`; a seed in the plan is that of the members, not of `check`.
  void read_checks() {
    Assembled checks =
        assemble({.groups = groups_of<CheckSetting>, .config = "", .values = checks_});
    plan_.check = checks.setting.as<CheckSetting>();
  }

  void read_replicas(const toml::node& node) {
    const auto count = node.value<std::int64_t>();
    if (!node.is_integer() || *count < 1 || *count > static_cast<std::int64_t>(most_members)) {
      refuse(Field::replicas, "", phrase("must be an integer from 1 to {}", most_members));
      return;
    }
    plan_.replicas = *count;
    replicated_ = true;
  }

  // The values of a swept option.
  std::vector<std::string> read_list(const Option& option, const toml::node& node) {
    std::vector<std::string> texts;
    if (!option.belongs_to(train_groups) || option.role == Role::handling) {
      refuse(option.field, "", "cannot be swept: no number of a run depends on it");
      return texts;
    }
    if (!swept_.insert(option.field).second) {
      refuse(option.field, "", "must be swept once only");
    }
    const toml::array* const values = node.as_array();
    if (values == nullptr || values->empty()) {
      refuse(option.field, "", "must be a list of values, each " + option.allowed);
      return texts;
    }
    for (const toml::node& value : *values) {
      if (const auto text = text_of(option, value)) texts.push_back(*text);
    }
    if (std::set<std::string>(texts.begin(), texts.end()).size() < texts.size() && !zipping_) {
      refuse(option.field, "", "must have different values");
    }
    return texts;
  }

  void read_grid(const toml::node& node) {
    if (!node.is_table()) {
      faults_.add(fault(plan_.origin, "", "grid must be a table, [grid]"));
      return;
    }
    for (const auto& [key, list] : *node.as_table()) {
      const Option* const option =
          option_of_key(std::string(key.str()), plan_.origin, train_groups, faults_);
      if (option == nullptr) continue;
      Axis axis{{option->field}, {}};
      for (const std::string& text : read_list(*option, list)) axis.values.push_back({text});
      axes_.push_back(std::move(axis));
    }
  }

  void read_zips(const toml::node& node) {
    zipping_ = true;
    if (const toml::table* const table = node.as_table()) {
      read_zip(*table);
    } else if (node.is_array_of_tables()) {
      for (const toml::node& entry : *node.as_array()) read_zip(*entry.as_table());
    } else {
      faults_.add(fault(plan_.origin, "", "zip must be a table, [zip], or several, [[zip]]"));
    }
    zipping_ = false;
  }

  void read_zip(const toml::table& table) {
    Axis axis;
    for (const auto& [key, list] : table) {
      const Option* const option =
          option_of_key(std::string(key.str()), plan_.origin, train_groups, faults_);
      if (option == nullptr) continue;
      const std::size_t before = faults_.faults().size();
      const std::vector<std::string> texts = read_list(*option, list);
      if (faults_.faults().size() > before) continue;
      if (axis.fields.empty()) axis.values.resize(texts.size());
      if (texts.size() != axis.values.size()) {
        refuse(option->field, fmt::format("{} values", texts.size()),
               phrase("must have {}, like {} in the same [zip]", axis.values.size(),
                      axis.fields.front()));
        continue;
      }
      axis.fields.push_back(option->field);
      for (std::size_t i = 0; i < texts.size(); ++i) axis.values[i].push_back(texts[i]);
    }
    if (!axis.fields.empty()) axes_.push_back(std::move(axis));
  }

  void expand() {
    if (swept_.contains(Field::seed) && replicated_) {
      throw InputError(Fault{Field::replicas, "",
                             phrase("must be left out where {} is swept", Field::seed),
                             plan_.origin});
    }
    std::size_t points = 1;
    for (const Axis& axis : axes_)
      points *= std::min(axis.values.size(), 2 * most_members / points);
    if (points * static_cast<std::size_t>(plan_.replicas) > most_members) {
      throw InputError(fault(plan_.origin, "", "more than {} members", most_members));
    }
    plan_.swept.assign(swept_.begin(), swept_.end());
    std::sort(plan_.swept.begin(), plan_.swept.end());
    for (std::size_t point = 0; point < points; ++point) add_point(point);
    if (replicated_) plan_.swept.push_back(Field::seed);
    name_members(plan_);
  }

  void add_point(std::size_t point) {
    std::map<Field, std::string> options = shared_;
    std::size_t rest = point;
    for (auto axis = axes_.rbegin(); axis != axes_.rend(); ++axis) {
      const std::vector<std::string>& values = axis->values[rest % axis->values.size()];
      rest /= axis->values.size();
      for (std::size_t i = 0; i < values.size(); ++i) options[axis->fields[i]] = values[i];
    }
    if (!replicated_) {
      plan_.members.push_back({"", std::move(options), static_cast<Index>(point)});
      return;
    }
    const auto seed = options.find(Field::seed);
    add_replicas(plan_, options, static_cast<Index>(point),
                 seed == options.end() ? SamplingOptions().seed : std::stoull(seed->second));
  }

  Plan plan_;
  ErrorList faults_;
  std::map<Field, std::string> shared_, checks_;
  std::vector<Axis> axes_;
  std::set<Field> swept_;
  bool replicated_ = false;  // the plan says how many replicas
  bool zipping_ = false;
};

// Faults of members, with the number of members for each.
class MemberFaults {
 public:
  void add(const std::string& member, const Fault& fault) {
    for (Told& told : told_) {
      if (told.fault == fault) {
        ++told.members;
        return;
      }
    }
    told_.push_back({fault, member, 1});
  }
  void throw_if_any(std::size_t members) const {
    std::vector<Fault> faults;
    for (const Told& told : told_) {
      if (faults.size() == most_faults) {
        faults.push_back(fault("", "", "and {} faults more", told_.size() - most_faults));
        break;
      }
      faults.push_back(told.members == members ? told.fault : of_members(told));
    }
    if (!faults.empty()) throw InputError(std::move(faults));
  }

 private:
  struct Told {
    Fault fault;
    std::string first;
    std::size_t members;
  };
  static Fault of_members(const Told& told) {
    Fault fault = told.fault;
    fault.allowed += told.members == 1
                         ? phrase(" (in {})", told.first)
                         : phrase(" (in {} and {} members more)", told.first, told.members - 1);
    return fault;
  }

  std::vector<Told> told_;
};

}  // namespace

Plan read_plan(const std::string& path) {
  return PlanReader(path).read();
}

Plan replicas_of(const CommandLine& line, Index replicas) {
  Plan plan;
  plan.config = line.config;
  plan.replicas = replicas;
  plan.swept = {Field::seed};
  const Assembled run = assemble(line);
  run.faults.throw_if_any();
  std::map<Field, std::string> options;
  for (const auto& [field, text] : line.values) {
    const Option& option = *find_option(field, line.groups);
    const bool kept =
        std::find(plan_handling.begin(), plan_handling.end(), field) != plan_handling.end();
    if (kept || option.role != Role::handling) options[field] = text;
  }
  add_replicas(plan, options, 0, run.setting.sampling.seed);
  name_members(plan);
  return plan;
}

Assembled assembled_member(const Plan& plan, const Member& member, Isolation isolation) {
  CommandLine line{train_groups, plan.config, member.options};
  line.defaults.isolation = isolation;
  Assembled result = assemble(line);
  for (const auto& [field, text] : member.options) result.setting.given[field] = plan.origin;
  ErrorList located_faults;
  for (const Fault& fault : result.faults.faults()) {
    located_faults.add(located(result.setting, fault));
  }
  result.faults = std::move(located_faults);
  return result;
}

void check_plan(const Plan& plan, Isolation isolation) {
  MemberFaults faults;
  std::set<Field> idle(plan.swept.begin(), plan.swept.end());
  for (const Member& member : plan.members) {
    try {
      const Problem problem = prepare(assembled_member(plan, member, isolation));
      std::erase_if(idle, [&](Field field) { return !problem.unused.contains(field); });
    } catch (const InputError& error) {
      for (const Fault& fault : error.faults()) faults.add(member.name, fault);
    }
  }
  faults.throw_if_any(plan.members.size());
  ErrorList without_effect;
  for (const Field field : idle) {
    without_effect.add(
        {field, "", "must not be swept: it has no effect in any member", plan.origin});
  }
  without_effect.throw_if_any();
}

std::vector<std::string> command_of(const Plan& plan, const Member& member) {
  std::vector<std::string> words{"train"};
  if (!plan.config.empty())
    words.push_back(fmt::format("--{}={}", name(Field::config), plan.config));
  for (const auto& [field, text] : member.options) {
    if (find_option(field, train_groups)->kind != Kind::flag) {
      words.push_back(fmt::format("--{}={}", name(field), text));
    } else if (text == "true") {
      words.push_back(fmt::format("--{}", name(field)));
    }
  }
  return words;
}

}  // namespace gihflow
