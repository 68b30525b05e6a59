using System.CommandLine;
using Quilt.Cli.Bench;
using Quilt.Cli.Synth;
using Quilt.Runtime;

namespace Quilt.Cli.Verbs;

/// <summary><c>bench</c>: how fast a model reads prompts and writes replies here, beside what the machine allows.</summary>
internal static class BenchVerb
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var limits = new Option<bool>("--limits")
        { Description = "Measure the device's limits alone: how fast it reads and multiplies at best." };
        var profile = new Option<bool>("--profile") { Description = "Also show where the time of a step goes, on a CPU." };
        var prompts = new Option<string>("--prompt")
        { Description = "Lengths of prompts to read.", HelpName = "N,N", DefaultValueFactory = _ => "32,128,512" };
        var cached = new Option<string>("--cached")
        { Description = "Lengths of prompts to read that are cached.", HelpName = "N,N", DefaultValueFactory = _ => "" };
        var batches = new Option<string>("--batch")
        { Description = "Numbers of sequences to decode together.", HelpName = "N,N", DefaultValueFactory = _ => "1,8" };
        var context = TypedOption.Whole("--context", "Tokens that each sequence looks back on; default 128.");
        var steps = TypedOption.Whole("--steps", "Decoding steps a repetition; default 16.");
        var repetitions = TypedOption.Whole("--repetitions", "Times everything is measured, the median counts; default 5.");
        var like = new Option<string>("--like")
        { Description = $"Random weights made on a GPU instead of a checkpoint: {SynthVerb.Like}.", HelpName = "NAME" };
        var layers = TypedOption.Whole("--layers", "With --like: decoder layers; default 2.");
        var vocabulary = TypedOption.Whole("--vocab", "With --like: rows of embedding and head; default 32768.");
        var command = new Command("bench", "Measures reading and writing speed beside the device's limits.")
        { json, limits, profile, prompts, cached, batches, context, steps, repetitions, like, layers, vocabulary };
        like.AcceptOnlyFromAmong(SynthVerb.Like);
        command.Subcommands.Add(BenchServeVerb.Create());
        command.Subcommands.Add(BenchStartVerb.Create());
        var sampling = new SamplingArguments().AddChoiceTo(command);
        var model = new ModelOptions().AddTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            var options = model.Read(parsed);
            if (options.HasTiers)
            {
                throw new UsageException("--kv-offloading-size, --kv-disk, --kv-remote: expected none, for steps alone are measured; " +
                    "'quilt bench serve' has them");
            }
            sampling.Check(parsed);
            var times = InRange("--repetitions", parsed.GetValue(repetitions) ?? 5, 1, 1000);
            var bench = new BenchOptions(
                Numbers("--prompt", parsed.GetValue(prompts)!, 1 << 20), Numbers("--cached", parsed.GetValue(cached)!, 1 << 20),
                Numbers("--batch", parsed.GetValue(batches)!, 4096),
                InRange("--context", parsed.GetValue(context) ?? 128, 1, 1 << 20), InRange("--steps", parsed.GetValue(steps) ?? 16, 1, 1 << 16),
                times, parsed.GetValue(profile), defaults => sampling.Read(parsed, defaults));
            var shape = new SynthShape(InRange("--layers", parsed.GetValue(layers) ?? 2, 1, 1000),
                InRange("--vocab", parsed.GetValue(vocabulary) ?? 32768, 16, 1 << 22));
            var result = await LoadingBar.ShowAsync(progress => Usage.OfAsync(() => Task.Factory.StartNew(
                () => parsed.GetValue(limits) ? ModelBench.Limits(options, times, cancel) : ModelBench.Run(Open(progress), options, bench, cancel),
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            if (parsed.GetValue(json)) BenchReport.PrintJson(result);
            else BenchReport.Print(result);
            return 0;

            Func<EngineOptions, BenchModel> Open(IProgress<LoadProgress>? progress) => parsed.GetValue(like) is null
                ? chosen => BenchModel.Open(parsed.GetValue(model.Model)!, chosen, progress, cancel)
                : chosen => BenchModel.Random(shape, chosen, progress, cancel);
        });
        return command;
    }

    private static int[] Numbers(string name, string text, int most)
    {
        var numbers = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return [.. numbers.Select(number => int.TryParse(number, out var value)
            ? InRange(name, value, 1, most)
            : throw new UsageException($"{name}: expected whole numbers, found '{number}'"))];
    }

    private static int InRange(string name, int value, int least, int most) =>
        value >= least && value <= most ? value : throw new UsageException($"{name}: expected {least} to {most}, found {value}");
}
