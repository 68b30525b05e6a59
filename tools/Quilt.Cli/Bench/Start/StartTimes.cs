using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Quilt.Cli.Bench.Start;

/// <summary>What one fresh process took.</summary>
/// <param name="FirstToken">From its start to its first token, in milliseconds.</param>
/// <param name="SecondStep">Tokens a second of its second step, the first that goes on with a reply.</param>
/// <param name="TenthStep">Of its tenth.</param>
/// <param name="Reply">Of all steps behind the first.</param>
/// <param name="CompiledLater">Methods that the engine's thread compiled in these.</param>
internal sealed record StartTimes(double FirstToken, double SecondStep, double TenthStep, double Reply, double CompiledLater)
{
    /// <summary>The option that makes a process answer and report instead of starting others.</summary>
    public const string Inside = "--inside";

    private static readonly (string Name, Func<StartTimes, double> Of)[] Values =
    [
        ("first_token_ms", times => times.FirstToken), ("second_step_tokens_per_second", times => times.SecondStep),
        ("tenth_step_tokens_per_second", times => times.TenthStep), ("reply_tokens_per_second", times => times.Reply),
        ("methods_compiled_later", times => times.CompiledLater),
    ];

    /// <summary>Starts this program with the same arguments, to answer once, and waits for its report.</summary>
    /// <exception cref="IOException">It failed; the message is its own.</exception>
    public static async Task<StartTimes> OfProcessAsync(CancellationToken cancel)
    {
        var arguments = Environment.GetCommandLineArgs();
        var program = Environment.ProcessPath!;
        // Under the host of .NET the first argument is the program.
        var own = Path.GetFileNameWithoutExtension(program) == "dotnet" ? arguments : arguments[1..];
        var info = new ProcessStartInfo(program, [.. own, Inside]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var start = DateTime.UtcNow;
        using var process = Process.Start(info)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancel);
            var output = await process.StandardOutput.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            if (process.ExitCode != 0) throw new IOException(ComplaintIn(await errors));
            using var report = JsonDocument.Parse(output);
            double Value(string name) => report.RootElement.GetProperty(name).GetDouble();
            var first = new DateTime(report.RootElement.GetProperty("first_token_ticks").GetInt64(), DateTimeKind.Utc);
            return new StartTimes((first - start).TotalMilliseconds, Value("second"), Value("tenth"), Value("reply"), Value("compiled"));
        }
        catch
        {
            if (!process.HasExited) process.Kill();
            throw;
        }
    }

    // The last line: warnings come before it.
    private static string ComplaintIn(string errors)
    {
        var line = errors.Trim().Split('\n')[^1];
        return line.StartsWith("quilt: ", StringComparison.Ordinal) ? line["quilt: ".Length..] : line;
    }

    /// <summary>Writes what a process reports to the one that started it.</summary>
    public static void Report(FirstReply reply, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteNumber("first_token_ticks", reply.FirstToken.Ticks);
        writer.WriteNumber("second", reply.Speed(2));
        writer.WriteNumber("tenth", reply.Speed(10));
        writer.WriteNumber("reply", reply.ReplySpeed);
        writer.WriteNumber("compiled", reply.CompiledLater);
        writer.WriteEndObject();
    }

    /// <summary>The median of each.</summary>
    public static StartTimes Median(IReadOnlyList<StartTimes> runs)
    {
        double Of(Func<StartTimes, double> value) => runs.Select(value).Order().ElementAt(runs.Count / 2);
        return new(Of(Values[0].Of), Of(Values[1].Of), Of(Values[2].Of), Of(Values[3].Of), Of(Values[4].Of));
    }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"start to first token {FirstToken:N0} ms · second step {SecondStep:N0}, tenth {TenthStep:N0}, reply {Reply:N0} tok/s · " +
        $"{CompiledLater:N0} methods compiled later");

    /// <summary>One JSON object.</summary>
    public void Write(Utf8JsonWriter writer, int runs)
    {
        writer.WriteStartObject();
        writer.WriteNumber("runs", runs);
        foreach (var (name, of) in Values) writer.WriteNumber(name, Math.Round(of(this), 1));
        writer.WriteEndObject();
    }
}
