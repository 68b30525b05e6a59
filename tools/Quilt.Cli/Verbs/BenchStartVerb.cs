using System.CommandLine;
using Quilt.Cli.Bench.Start;

namespace Quilt.Cli.Verbs;

/// <summary><c>bench start</c>: how soon a fresh process answers, and how fast it goes on.</summary>
internal static class BenchStartVerb
{
    private const int MostRuns = 1000;

    public static Command Create()
    {
        var runs = TypedOption.Whole("--runs", "Processes to start, one after the other, the median counts; default 9.");
        var question = new Option<string>("--question")
        { Description = "What each is asked.", DefaultValueFactory = _ => "What is the capital of France?" };
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var inside = new Option<bool>(StartTimes.Inside) { Description = "Answer once, here, and report.", Hidden = true };
        var command = new Command("start", "Starts processes that answer once: the time to their first token, and their speed from there on.")
        { runs, question, json, inside };
        var model = new ModelOptions().AddTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(inside))
            {
                var reply = await FirstReply.RunAsync(
                    observer => model.OpenAsync(parsed, cancel, options => options with { Observer = observer, PrefixCaching = options.HasTiers }),
                    parsed.GetValue(question)!, cancel);
                JsonOutput.Print(writer => StartTimes.Report(reply, writer));
                return 0;
            }
            var count = parsed.GetValue(runs) ?? 9;
            if (count is < 1 or > MostRuns) throw new UsageException($"--runs: expected 1 to {MostRuns}, found {count}");
            var all = new List<StartTimes>();
            while (all.Count < count) all.Add(await StartTimes.OfProcessAsync(cancel));
            var median = StartTimes.Median(all);
            if (parsed.GetValue(json)) JsonOutput.Print(writer => median.Write(writer, count));
            else Console.Out.WriteLine(median);
            return 0;
        });
        return command;
    }
}
