using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Output;

/// <summary>Holds the targets of a config against the modules, by the rules of those who will read it.</summary>
internal static class ConfigCheck
{
    /// <summary>The library's rule, under every name that a module may go by.</summary>
    /// <param name="origin">The config, for the message.</param>
    /// <param name="modules">Modules by path, with their group; −1: none.</param>
    /// <param name="targets">What is said.</param>
    /// <exception cref="BadInputException">A module would be taken for something else.</exception>
    public static void Library(string origin, IReadOnlyList<(string Path, int Group)> modules, ConfigTargets targets)
    {
        var all = new Dictionary<string, QuantArgs?>(StringComparer.Ordinal);
        for (var i = 0; i < targets.Targets.Count; i++)
        {
            var group = new QuantArgs(FormattableString.Invariant($"{i}"), 8, false, true, "tensor", null, null);
            foreach (var target in targets.Targets[i]) all[target] = group;
        }
        var rule = new QuantTargets(origin, targets.Ignored, all);
        foreach (var (path, group) in modules)
        {
            foreach (var name in TensorNames.Spellings(path))
            {
                var found = rule.Find([name]) is { } args ? int.Parse(args.Group) : -1;
                if (found != group)
                    throw new BadInputException(origin, path, $"expected targets that put it into {Words(group)}, found that they put " +
                        $"{name} into {Words(found)}");
            }
        }
    }

    /// <summary>
    /// vLLM's rule (compressed_tensors/utils.py, find_matched_target), for the layers it makes of the modules: it joins matrices that read the same
    /// input, and all experts of a layer. What it would refuse or take for something else is returned in words.
    /// </summary>
    /// <param name="spec">The architecture.</param>
    /// <param name="modules">Modules by path, with their group; −1: none.</param>
    /// <param name="targets">What is said.</param>
    public static IEnumerable<string> Vllm(DecoderSpec spec, IReadOnlyList<(string Path, int Group)> modules, ConfigTargets targets)
    {
        var rule = new VllmRule(targets);
        var groups = modules.ToDictionary(module => TensorNames.Meaning(module.Path), module => module.Group, StringComparer.Ordinal);
        var problems = new WarningList();
        foreach (var layer in new DecoderModules(spec).Layers.SelectMany(VllmRule.Layers))
        {
            int[] wanted = [.. layer.Modules.Select(module => groups[TensorNames.Meaning(module)]).Distinct()];
            if (wanted.Length > 1) problems.Add(layer.Name, "its parts are stored in several ways, which vLLM does not load");
            else if (rule.Find(layer) is var found && found != wanted[0])
                problems.Add(layer.Name, $"is {Words(wanted[0])}, which vLLM would take for {Words(found)}");
        }
        return problems.ToLines();
    }

    private static string Words(int group) => group < 0 ? "no group" : FormattableString.Invariant($"group_{group}");
}
