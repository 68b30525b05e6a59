using System.Text;

namespace Quilt.Cli.Bench.Serve;

/// <summary>
/// Texts of random words: the same seed gives the same texts, and those of two conversations differ from the first word behind what they share, as
/// long as there are no more conversations than words.
/// </summary>
internal sealed class PromptMaker(PromptPlan plan, int seed)
{
    private readonly string shared = Shared(plan, seed);

    /// <summary>What a conversation begins with.</summary>
    public string First(int conversation)
    {
        var text = new StringBuilder(shared, shared.Length + (plan.OwnWords * 6));
        Append(text, plan.OwnWords, conversation, turn: 0);
        return text.ToString();
    }

    /// <summary>What a later turn says: as many words as the first turn had for itself.</summary>
    public string Next(int conversation, int turn)
    {
        var text = new StringBuilder(plan.OwnWords * 6);
        Append(text, plan.OwnWords, conversation, turn);
        return text.ToString();
    }

    private void Append(StringBuilder text, int words, int conversation, int turn)
    {
        var random = new Random(unchecked((int)((uint)seed * 0x9E3779B1) ^ (int)((uint)conversation * 0x85EBCA77) ^ (turn * 0x2545F491)));
        var mark = unchecked((uint)(seed + conversation));
        for (var i = 0; i < words; i++)
        {
            if (text.Length == 0) text.Append(PromptWords.Beginnings[mark % PromptWords.Beginnings.Length]);
            else text.Append(' ').Append(plan.Words[i < 2 ? (int)(mark % plan.Words.Count) : random.Next(plan.Words.Count)]);
        }
    }

    private static string Shared(PromptPlan plan, int seed)
    {
        var random = new Random(unchecked(seed + 0x5EED));
        var text = new StringBuilder();
        for (var i = 0; i < plan.SharedWords; i++)
        {
            if (i == 0) text.Append(PromptWords.Beginnings[random.Next(PromptWords.Beginnings.Length)]);
            else text.Append(' ').Append(plan.Words[random.Next(plan.Words.Count)]);
        }
        return text.ToString();
    }
}
