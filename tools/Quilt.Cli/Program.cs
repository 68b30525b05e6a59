using System.CommandLine;
using System.CommandLine.Parsing;
using Quilt.Cli.Serve;
using Quilt.Cli.Verbs;

namespace Quilt.Cli;

/// <summary>The command line: one file a verb, below Verbs/. Standard output carries results, standard error everything else.</summary>
internal static class Program
{
    /// <summary>Exit code of wrong usage; 0 is done, 1 failed, 130 stopped by Ctrl-C.</summary>
    private const int WrongUsage = 2;

    private static readonly OrderedDictionary<string, Func<Command>> Verbs = new(StringComparer.Ordinal)
    {
        ["chat"] = ChatVerb.Create, ["complete"] = CompleteVerb.Create, ["inspect"] = InspectVerb.Create, ["tokenize"] = TokenizeVerb.Create,
        ["detokenize"] = DetokenizeVerb.Create, ["render"] = RenderVerb.Create, ["logits"] = LogitsVerb.Create,
        ["parse-reply"] = ParseReplyVerb.Create, ["synth"] = SynthVerb.Create, ["bench"] = BenchVerb.Create, ["doctor"] = DoctorVerb.Create,
        ["serve"] = ServeVerb.Create, ["quantize"] = QuantizeVerb.Create, ["quality"] = QualityVerb.Create, ["stitch"] = StitchVerb.Create,
        ["repair-router"] = RepairRouterVerb.Create, ["verify"] = VerifyVerb.Create, ["pack"] = PackVerb.Create,
        ["cluster"] = ClusterVerb.Create, ["simulate"] = SimulateVerb.Create,
    };

    public static async Task<int> Main(string[] args)
    {
        // UTF-8 without a mark, whatever the terminal's settings say: the output is data for other programs.
        Console.OutputEncoding = new System.Text.UTF8Encoding(false);
        args = Underscores.Mended(args);
        var root =
            new RootCommand("Runs, inspects and measures mixture-of-experts language models. MODEL is a checkpoint folder; where it is left out, " +
                "a small demo model is used.");
        foreach (var create in VerbsFor(args)) root.Subcommands.Add(create());
        root.Options.Add(Failures.Debug);

        var parsed = root.Parse(args);
        string[] errors = [.. parsed.Errors.Select(error => error.Message), .. MistakenOptions(parsed, args)];
        if (errors.Length > 0)
        {
            foreach (var error in errors) Failures.Print(error);
            Failures.Print($"see 'quilt {string.Join(' ', Path(parsed.CommandResult))}--help'");
            return WrongUsage;
        }
        try
        {
            using var interrupt = new Interrupt();
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null },
                interrupt.Token);
        }
#pragma warning disable CA1031 // Whatever went wrong, a user gets one line and an exit code.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return Failures.Report(failure, parsed.GetValue(Failures.Debug));
        }
    }

    // Where the first word names a verb no other is needed, and making all of them is a good part of a short command's time.
    private static IEnumerable<Func<Command>> VerbsFor(string[] args) =>
        args.Length > 0 && Verbs.TryGetValue(args[0], out var named) ? [named] : Verbs.Values;

    // What looks like an option and is taken for an argument is a typing error; behind "--" anything goes.
    private static IEnumerable<string> MistakenOptions(ParseResult parsed, string[] args)
    {
        var end = Array.IndexOf(args, "--") is var dashes && dashes >= 0 ? dashes : args.Length;
        return parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value)
            .Where(text => text.Length > 1 && text[0] == '-' && !char.IsAsciiDigit(text[1]) && Array.IndexOf(args, text) is >= 0 and var at
                && at < end)
            .Select(text => $"unknown option '{text}'");
    }

    // "chat " for a verb, nothing for the root.
    private static IEnumerable<string> Path(CommandResult result) =>
        result.Parent is CommandResult parent ? [.. Path(parent), result.Command.Name + " "] : [];
}
