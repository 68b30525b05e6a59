namespace Quilt.Formats.Grammars.Json;

/// <summary>How much work may be spent on holding a schema's own names and values to its patterns.</summary>
internal sealed class MatchBudget
{
    private int left = 2_000_000;

    /// <summary>Takes some of it.</summary>
    /// <exception cref="BadInputException">There is none left.</exception>
    public void Spend(int steps)
    {
        if ((left -= steps) < 0)
            throw new BadInputException(JsonSchemaReader.Origin, null, "expected fewer names and values to be matched with patterns");
    }
}
