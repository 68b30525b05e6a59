namespace Quilt.Quantizer.Verifying;

/// <summary>How a check ended, from best to worst; what was not looked at is none of it.</summary>
internal enum CheckStatus
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Unusual, or wrong without harm to what this runtime computes.</summary>
    Warn,

    /// <summary>Wrong.</summary>
    Fail,

    /// <summary>Not looked at; the detail says why.</summary>
    Skipped,
}

/// <summary>What one check found.</summary>
/// <param name="Id">Its number, which stays.</param>
/// <param name="Name">Its name, which stays.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">One line: what was looked at, or what is wrong: tensor, expected, found.</param>
internal sealed record CheckResult(int Id, string Name, CheckStatus Status, string Detail);
