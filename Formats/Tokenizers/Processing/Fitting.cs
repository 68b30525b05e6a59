using System.Text.Json;

namespace Quilt.Formats.Tokenizers.Processing;

/// <summary>"truncation": how long an input may be, and which of two texts is shortened.</summary>
/// <param name="MaxLength">Ids, special ones among them.</param>
/// <param name="Strategy">LongestFirst, OnlyFirst or OnlySecond.</param>
/// <param name="FromLeft">Whether the beginning goes, not the end.</param>
internal sealed record Truncation(int MaxLength, string Strategy, bool FromLeft)
{
    private const string Part = "truncation";

    public static Truncation? Read(JsonElement? component, string source)
    {
        if (component is not { } json) return null;
        var strategy = json.Text("strategy", source, Part);
        if (strategy is not ("LongestFirst" or "OnlyFirst" or "OnlySecond"))
            throw new BadInputException(source, Part, $"the strategy {strategy} is not supported");
        json.Need("max_length", JsonValueKind.Number, source, Part);
        return new Truncation(json.Count("max_length", 0, 0, source, Part), strategy, Direction(json, source, Part) == "Left");
    }

    /// <summary>"direction": Left or Right.</summary>
    public static string Direction(JsonElement json, string source, string part)
    {
        var direction = json.Find("direction") is null ? "Right" : json.Text("direction", source, part);
        return direction is "Left" or "Right" ? direction : throw new BadInputException(source, part, $"the direction {direction} is not supported");
    }

    /// <summary>Shortens one text, or two.</summary>
    /// <param name="first">The ids of the first text.</param>
    /// <param name="second">Those of the second; null where there is none.</param>
    /// <param name="added">Special ids that will be added.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="BadInputException">The text that is to be shortened is missing, or too short for it.</exception>
    public void Apply(ref int[] first, ref int[]? second, int added, string source)
    {
        if (added > MaxLength) throw new BadInputException(source, Part, $"max_length is {MaxLength}, and {added} special tokens are added");
        var limit = MaxLength - added;
        int one = first.Length, two = second?.Length ?? 0, excess = one + two - limit;
        if (excess <= 0) return;
        if (limit == 0) (one, two) = (0, 0);
        else if (Strategy == "LongestFirst") (one, two) = second is null ? (limit, 0) : Shares(one, two, limit);
        else if (Strategy == "OnlySecond" && second is null) throw new BadInputException(source, Part, "OnlySecond needs a second text");
        else
        {
            ref var target = ref Strategy == "OnlyFirst" ? ref one : ref two;
            if (target <= excess)
                throw new BadInputException(source, Part, $"the text that {Strategy} shortens has {target} ids, of which {excess} would have to go");
            target -= excess;
        }
        first = Cut(first, one);
        if (second is not null) second = Cut(second, two);
    }

    // The shorter text stays whole where it fits into half of the room; otherwise each gets half.
    private static (int, int) Shares(int one, int two, int limit)
    {
        var (low, high) = (Math.Min(one, two), Math.Max(one, two));
        high = low > limit ? low : Math.Max(low, limit - low);
        if (low + high > limit)
        {
            low = limit / 2;
            high = low + limit % 2;
        }
        return one > two ? (high, low) : (low, high);
    }

    private int[] Cut(int[] ids, int length) => length >= ids.Length ? ids : FromLeft ? ids[^length..] : ids[..length];
}

/// <summary>"padding": what fills an input up.</summary>
/// <param name="Length">How long an input becomes at least.</param>
/// <param name="MultipleOf">Its length becomes a multiple of this; 0 for any.</param>
/// <param name="Id">The id that fills it up.</param>
/// <param name="TypeId">The type of that id.</param>
/// <param name="AtLeft">Whether it goes before the ids.</param>
internal sealed record Padding(int Length, int MultipleOf, int Id, int TypeId, bool AtLeft)
{
    private const string Part = "padding";
    private const int LengthLimit = 1 << 24;

    public static Padding? Read(JsonElement? component, string source)
    {
        if (component is not { } json) return null;
        var strategy = json.Find("strategy") ?? throw new BadInputException(source, Part, "\"strategy\" is missing");
        // One input is the longest of its batch.
        var length = strategy.ValueKind == JsonValueKind.String && strategy.GetString() == "BatchLongest" ? 0
            : strategy.Find("Fixed") is not null ? strategy.Count("Fixed", 0, 0, source, Part)
            : throw new BadInputException(source, Part, $"the strategy {strategy.GetRawText()} is not supported");
        var multiple = json.Count("pad_to_multiple_of", 0, 0, source, Part);
        if (length > LengthLimit || multiple > LengthLimit) throw new BadInputException(source, Part, $"it fills up to more than {LengthLimit} ids");
        return new Padding(
            length, multiple, json.Need("pad_id", JsonValueKind.Number, source, Part).Id(source, Part),
            json.Count("pad_type_id", 0, 0, source, Part), Truncation.Direction(json, source, Part) == "Left");
    }

    /// <summary>How many ids fill up so many.</summary>
    public int Missing(int count)
    {
        var length = Math.Max(count, Length);
        if (MultipleOf > 0 && length % MultipleOf > 0) length += MultipleOf - length % MultipleOf;
        return length - count;
    }
}
