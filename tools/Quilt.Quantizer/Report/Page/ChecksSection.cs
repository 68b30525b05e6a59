namespace Quilt.Quantizer.Report.Page;

/// <summary>What was checked of the written files.</summary>
internal static class ChecksSection
{
    /// <summary>Writes it; nothing where there were no checks.</summary>
    public static void Write(Markup page, IReadOnlyList<CheckReport>? checks)
    {
        if (checks is not { Count: > 0 }) return;
        page.Element("h2", "Checks");
        page.Look("What was looked at in the written files. Nothing should fail; a warning says what it means.");
        page.Open("div", ("class", "scroll")).Open("table").Open("thead").Open("tr");
        page.Element("th", "").Element("th", "check", ("class", "text")).Element("th", "found", ("class", "text")).Close().Close().Open("tbody");
        foreach (var check in checks)
        {
            page.Open("tr").Element("td", check.Status, ("class", Color(check.Status)));
            page.Element("td", $"{check.Name} ({check.Id})", ("class", "text")).Element("td", check.Detail, ("class", "text")).Close();
        }
        page.Close().Close().Close();
    }

    private static string Color(string status) => status switch
    {
        "ok" => "s-ok",
        "warn" => "s-warn",
        "fail" => "s-fail",
        _ => "s-skipped",
    };
}
