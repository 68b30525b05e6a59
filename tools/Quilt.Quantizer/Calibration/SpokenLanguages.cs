using System.Collections.Frozen;
using System.Text;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// Spoken languages of a text, found simply. A script that one language has is that language, once 20 of its letters are there and every 50th letter
/// is one. Of those written in Latin or Cyrillic letters the one with the most frequent little words is taken, if there are 5 of them and every
/// 20th word of that script is one.
/// </summary>
internal static class SpokenLanguages
{
    private const int FewestLetters = 20;
    private const int LettersPerLetter = 50;
    private const int FewestWords = 5;
    private const int WordsPerWord = 20;

    private static readonly (int First, int Last, string Language)[] Scripts =
    [
        (0x0370, 0x03FF, "Greek"), (0x0530, 0x058F, "Armenian"), (0x0590, 0x05FF, "Hebrew"), (0x0600, 0x06FF, "Arabic"), (0x0900, 0x097F, "Hindi"),
        (0x0980, 0x09FF, "Bengali"), (0x0A00, 0x0A7F, "Punjabi"), (0x0A80, 0x0AFF, "Gujarati"), (0x0B80, 0x0BFF, "Tamil"), (0x0C00, 0x0C7F, "Telugu"),
        (0x0E00, 0x0E7F, "Thai"), (0x10A0, 0x10FF, "Georgian"), (0x1200, 0x137F, "Amharic"), (0x3040, 0x30FF, "Japanese"), (0xAC00, 0xD7AF, "Korean"),
    ];

    private static readonly FrozenDictionary<string, string[]> LittleWords = new Dictionary<string, string>
    {
        ["English"] = "the of and to in is that for it with as was on are this be by you not have from",
        ["French"] = "le la les des et est une dans que qui pour pas sur avec ce il du au vous nous sont plus",
        ["German"] = "der die das und ist nicht ein eine zu den mit von auf für sich dem auch wird werden sind oder",
        ["Spanish"] = "el la los las que en y es una por con para no se del al como más pero sus este",
        ["Portuguese"] = "o os que e do da em um uma para com não por mais as dos como mas foi ao ele você são",
        ["Italian"] = "il lo gli che di è e per una con non sono del della nel come più anche questo si dei",
        ["Dutch"] = "de het een en van is dat niet op te zijn voor met die aan ook worden bij naar wordt er",
        ["Swedish"] = "och att det som en på är av för med den till inte om ett har jag de från kan",
        ["Polish"] = "w i nie na się z do to że jest jak o co po za od ale dla przez są",
        ["Turkish"] = "bir ve bu için ile da de çok olarak daha ne gibi olan en değil var kadar sonra veya",
        ["Vietnamese"] = "của và là có không được trong cho một với các người những này để khi từ đã như",
        ["Indonesian"] = "yang dan di untuk dengan dari ini itu adalah pada tidak dalam akan atau ke juga dapat oleh sebagai",
        ["Russian"] = "и в не на что я с он как это по но из у за то все для так от",
        ["Ukrainian"] = "і в не на що з та як це до але за від для є про або при також ми",
    }.ToFrozenDictionary(pair => pair.Key, pair => pair.Value.Split(' '));

    private static readonly FrozenDictionary<string, string[]> ByWord = LittleWords
        .SelectMany(pair => pair.Value, (pair, word) => (word, pair.Key)).GroupBy(pair => pair.word, pair => pair.Key)
        .ToFrozenDictionary(group => group.Key, group => group.ToArray());

    /// <summary>All that are known.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Scripts.Select(script => script.Language).Append("Chinese").Concat(LittleWords.Keys).Order(StringComparer.Ordinal)];

    /// <summary>Those of a text.</summary>
    public static IReadOnlySet<string> In(string text)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var (letters, han) = (0, 0);
        var counts = new int[Scripts.Length];
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Rune.IsLetter(rune)) continue;
            letters++;
            if (rune.Value is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF) han++;
            else if (rune.Value >= Scripts[0].First && ScriptOf(rune.Value) is >= 0 and var at) counts[at]++;
        }
        for (var i = 0; i < counts.Length; i++)
        {
            if (IsEnough(counts[i])) found.Add(Scripts[i].Language);
        }
        // Japanese is written with Chinese characters too.
        if (IsEnough(han) && !found.Contains("Japanese")) found.Add("Chinese");
        if (ByWords(text) is { } language) found.Add(language);
        return found;

        bool IsEnough(int count) => count >= FewestLetters && (long)count * LettersPerLetter >= letters;
    }

    private static int ScriptOf(int letter) => Array.FindIndex(Scripts, script => script.First <= letter && letter <= script.Last);

    private static string? ByWords(string text)
    {
        var hits = new Dictionary<string, int>(StringComparer.Ordinal);
        var words = 0;
        foreach (var word in Words(text))
        {
            words++;
            foreach (var language in ByWord.GetValueOrDefault(word, [])) hits[language] = hits.GetValueOrDefault(language) + 1;
        }
        if (hits.Count == 0) return null;
        var best = hits.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).First();
        return best.Value >= FewestWords && (long)best.Value * WordsPerWord >= words ? best.Key : null;
    }

    // Runs of letters of the scripts above that have no language of their own.
    private static IEnumerable<string> Words(string text)
    {
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var isPart = i < text.Length && char.IsLetter(text[i])
                && text[i] is < '\u0370' or >= '\u0400' and <= '\u052F' or >= '\u1E00' and <= '\u1EFF';
            if (isPart && start < 0) start = i;
            if (isPart || start < 0) continue;
            yield return text[start..i].ToLowerInvariant();
            start = -1;
        }
    }
}
