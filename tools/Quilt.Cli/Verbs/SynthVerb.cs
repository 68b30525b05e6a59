using System.CommandLine;
using System.Diagnostics;
using Quilt.Cli.Synth;

namespace Quilt.Cli.Verbs;

/// <summary><c>synth OUT --like NAME</c>: a random checkpoint with the real layer dimensions, for measuring.</summary>
internal static class SynthVerb
{
    /// <summary>The model whose sizes there are.</summary>
    public const string Like = "minimax-m2.5";

    private static readonly Dictionary<string, SynthFormat> Formats = new(StringComparer.Ordinal)
    {
        ["fp8-int4"] = SynthFormat.Fp8Int4, ["fp8"] = SynthFormat.Fp8, ["bf16-int4"] = SynthFormat.Bf16Int4, ["bf16"] = SynthFormat.Bf16,
    };

    public static Command Create()
    {
        var output = new Argument<string>("OUT") { Description = "Folder to write; it must not exist or be empty." };
        var like = new Option<string>("--like") { Description = $"The model whose layers it has: {Like}.", HelpName = "NAME", Required = true };
        var layers = TypedOption.Whole("--layers", "Decoder layers; default 2.");
        var vocabulary = TypedOption.Whole("--vocab", "Rows of embedding and head; default 32768.");
        var format = new Option<string>("--format")
        { Description = $"How it is stored: {string.Join(", ", Formats.Keys)}.", HelpName = "FORMAT", DefaultValueFactory = _ => "fp8-int4" };
        var seed = TypedOption.Long("--seed", "Where its random numbers begin; default 1.");
        var command = new Command("synth", "Writes a random checkpoint with the layer dimensions of a real model, for measuring.")
        { output, like, layers, vocabulary, format, seed };
        like.AcceptOnlyFromAmong(Like);
        format.AcceptOnlyFromAmong([.. Formats.Keys]);

        command.SetAction(async (parsed, cancel) =>
        {
            var shape = new SynthShape(InRange("--layers", parsed.GetValue(layers) ?? 2, 1, 1000),
                InRange("--vocab", parsed.GetValue(vocabulary) ?? 32768, 16, 1 << 22));
            var folder = parsed.GetValue(output)!;
            var start = Stopwatch.GetTimestamp();
            // Its own thread: the writing is one long computation.
            var bytes = await LoadingBar.ShowAsync(progress => Task.Factory.StartNew(
                () => SynthCheckpoint.Write(folder, shape, Formats[parsed.GetValue(format)!], parsed.GetValue(seed) ?? 1, progress, cancel),
                cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.Error.WriteLine(FormattableString.Invariant($"{bytes / 1e9:0.00} GB in {seconds:0.0} s"));
            Console.Out.WriteLine(Path.GetFullPath(folder));
            return 0;
        });
        return command;
    }

    private static int InRange(string name, int value, int least, int most) =>
        value >= least && value <= most ? value : throw new UsageException($"{name}: expected {least} to {most}, found {value}");
}
