using System.Globalization;
using System.Text.Json;

namespace Quilt.Cli.Bench;

/// <summary>Prints profiles of steps for people, or as JSON.</summary>
internal static class ProfileReport
{
    /// <summary>A table on standard output.</summary>
    public static void Print(ProfileResult profile)
    {
        Line(FormattableString.Invariant($"profile   {profile.Name}: {profile.Microseconds:0} µs a step, {profile.Jobs:0.#} jobs, ") +
            $"threads waiting {Percent(profile.Waiting).Trim()}, one alone {Percent(profile.Alone).Trim()} of their time " +
            $"({profile.Threads} threads, the fastest repetition of {profile.Steps} steps)");
        Line("  part              calls         µs  share   GOP/s    GB/s    jobs waiting alone");
        foreach (var row in profile.Rows)
        {
            Line(FormattableString.Invariant($"  {row.Name,-15}{row.Calls,8:0.#} {row.Microseconds,10:0.0} ") +
                $"{Percent(row.Microseconds / profile.Microseconds),6} {Rate(row.Operations),7} {Rate(row.Gigabytes),7} " +
                FormattableString.Invariant($"{row.Jobs,7:0.#} {Percent(row.Waiting),7} {Percent(row.Alone),5}  {row.Formats}").TrimEnd());
        }
    }

    /// <summary>An array of the document.</summary>
    public static void Write(Utf8JsonWriter writer, IReadOnlyList<ProfileResult> profiles)
    {
        writer.WriteStartArray("profile");
        foreach (var profile in profiles)
        {
            writer.WriteStartObject();
            writer.WriteString("case", profile.Name);
            writer.WriteNumber("steps", profile.Steps);
            writer.WriteNumber("threads", profile.Threads);
            writer.WriteNumber("microseconds_per_step", profile.Microseconds);
            writer.WriteNumber("jobs_per_step", profile.Jobs);
            writer.WriteNumber("share_waiting", profile.Waiting);
            writer.WriteNumber("share_alone", profile.Alone);
            writer.WriteStartArray("parts");
            foreach (var row in profile.Rows) Write(writer, row, profile);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, ProfileRow row, ProfileResult profile)
    {
        writer.WriteStartObject();
        writer.WriteString("part", row.Name);
        if (row.Formats.Length > 0) writer.WriteString("format", row.Formats);
        writer.WriteNumber("calls_per_step", row.Calls);
        writer.WriteNumber("microseconds_per_step", row.Microseconds);
        writer.WriteNumber("share_of_step", row.Microseconds / profile.Microseconds);
        if (row.Operations > 0) writer.WriteNumber("gop_per_second", row.Operations);
        if (row.Gigabytes > 0) writer.WriteNumber("gb_per_second", row.Gigabytes);
        writer.WriteNumber("jobs_per_step", row.Jobs);
        writer.WriteNumber("share_waiting", row.Waiting);
        writer.WriteNumber("share_alone", row.Alone);
        writer.WriteEndObject();
    }

    private static string Rate(double rate) => rate > 0 ? rate.ToString("0.0", CultureInfo.InvariantCulture) : "-";

    private static string Percent(double share) => share.ToString("0.0%", CultureInfo.InvariantCulture);

    private static void Line(string text) => Console.Out.WriteLine(text);
}
