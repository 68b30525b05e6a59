namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// MiniMax-M2: <c>&lt;think&gt;…&lt;/think&gt;text&lt;minimax:tool_call&gt;&lt;invoke name="f"&gt;&lt;parameter
/// name="p"&gt;…&lt;/parameter&gt;&lt;/invoke&gt;&lt;/minimax:tool_call&gt;</c>. Tags of invokes and parameters may hold blanks and further
/// attributes. Source: vLLM's parser/minimax_m2.py at 033af9c.
/// </summary>
internal sealed class MiniMaxReply : TagCallsReply
{
    private const string Think = "<think>";
    private static readonly CallTags tags = new(
        "<minimax:tool_call>", "</minimax:tool_call>", "<*invoke *name*=", "<*invoke*>", "<invoke name=", "<*/*invoke*>", "<*parameter *name*=",
        "<*/*parameter*>", HasAttributes: true);

    /// <summary>How thinking begins.</summary>
    internal static readonly string[] Openings = [Think];

    private bool owesThink;                                  // the marker the prompt ended with is still to be put in front

    public MiniMaxReply(ReplyOptions options, bool appendsThink = false)
        : base(options, Think, "</think>", tags) => owesThink = appendsThink && options.StartsThinking;

    private protected override void PieceBegun()
    {
        if (owesThink) Output.Text(Think, isThinking: false);
        owesThink = false;
    }
}
