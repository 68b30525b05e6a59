using System.Text.Json.Nodes;

namespace Quilt.Quantizer.Calibration;

/// <summary>One row as messages.</summary>
/// <param name="Entry">The dataset it is from.</param>
/// <param name="Row">Its values and place.</param>
/// <param name="Messages">Messages in OpenAI's form, none where the row holds nothing to say.</param>
/// <param name="Asked">What templates chose for it, e.g. the language an answer is asked for in.</param>
internal sealed record CalibrationConversation(
    CalibrationEntry Entry, CalibrationRow Row, IReadOnlyList<JsonObject> Messages, IReadOnlyList<string> Asked);

/// <summary>What is noticed on the way, and not bad enough to stop for.</summary>
internal sealed class CalibrationNotes
{
    private const int MostWarnings = 100;
    private int left;

    private readonly List<string> warnings = [];

    /// <summary>Warnings, the first hundred of them, and how many more there were.</summary>
    public IReadOnlyList<string> Warnings => left == 0 ? warnings : [.. warnings, FormattableString.Invariant($"and {left} more warnings")];

    /// <summary>Entries whose data is not there.</summary>
    public List<CalibrationEntry> Missing { get; } = [];

    /// <summary>Adds a warning.</summary>
    public void Warn(string warning)
    {
        if (warnings.Count < MostWarnings) warnings.Add(warning);
        else left++;
    }
}
