using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Tokenizers;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>
/// Which added tokens there are, under which numbers and with which flags: of a lone tokenizer.json as its library has them, in a folder as
/// transformers puts them together from all files.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class AddedTokenTests
{
    private string folder = "";

    [SetUp]
    public void Create()
    {
        folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"tokens-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
    }

    [TearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public void New_tokens_are_counted_from_the_vocabulary_s_size_whatever_ids_the_vocabulary_has()
    {
        // Four tokens, one of them far behind.
        var tokenizer = Read(("<far>", 900, true), ("<seven>", 7, true), ("<same id>", 7, true), ("<next>", 8, false));
        Assert.That(Ids(tokenizer, "<far>", "<seven>", "<same id>", "<next>"), Is.EqualTo(new[] { 900, 4, 5, 6 }));
        Assert.That(tokenizer.Encode("<seven>a<same id><next><far>"), Is.EqualTo(new[] { 4, 0, 5, 6, 900 }));
    }

    [Test]
    public void Of_two_entries_with_one_text_the_last_one_s_flags_hold_and_special_stays()
    {
        var tokenizer = Tokenizer.Read(Json([Entry("<x>", 4, special: true), Entry("<y>", 5, strip: true), Entry("<x>", 9), Entry("<y>", 5)]), "t");
        Assert.That(Ids(tokenizer, "<x>", "<y>"), Is.EqualTo(new[] { 4, 5 }));
        Assert.That(tokenizer.Encode("a <y> a"), Is.EqualTo(new[] { 2, 5, 2 }), "the spaces are left alone, and no word");
        Assert.That(tokenizer.IsSpecial(4), Is.True);
        Assert.That(tokenizer.IsSpecial(5), Is.False);
    }

    [Test]
    public void A_number_that_a_file_states_and_the_library_does_not_give_is_a_warning()
    {
        var tokenizer = Read(("<five>", 5, true), ("<four>", 4, true));
        Assert.That(tokenizer.Warnings, Has.Count.EqualTo(2));
        Assert.That(tokenizer.Warnings[0], Does.Contain("<five>").And.Contain("number 4").And.Contain("not 5"));
        Assert.That(Read(("<four>", 4, true)).Warnings, Is.Empty);
    }

    [Test]
    public void Tokens_that_only_tokenizer_config_knows_are_added_by_their_numbers()
    {
        Write("tokenizer_config.json", """
            {"added_tokens_decoder": {"10": {"content": "<ten>", "special": true}, "5": {"content": "<five>", "lstrip": true, "special": false},
            "4": {"content": "<four>", "special": true}}}
            """);
        var tokenizer = Open(Entry("<four>", 4, special: true));
        Assert.That(Ids(tokenizer, "<four>", "<five>", "<ten>"), Is.EqualTo(new[] { 4, 5, 6 }));
        Assert.That(tokenizer.IsSpecial(6), Is.True);
        Assert.That(tokenizer.Encode("a <five>"), Is.EqualTo(new[] { 0, 5 }), "it takes the space before it");
        Assert.That(tokenizer.Warnings, Has.Count.EqualTo(1));
        foreach (var word in (string[])["tokenizer_config.json", "<ten>", "number 6", "not 10"])
            Assert.That(tokenizer.Warnings[0], Does.Contain(word));
    }

    [Test]
    public void Its_flags_win_over_those_of_tokenizer_json()
    {
        Write("tokenizer_config.json", """{"added_tokens_decoder": {"4": {"content": "<x>", "lstrip": true, "special": true}}}""");
        var tokenizer = Open(Entry("<x>", 4));
        Assert.That(tokenizer.Encode("a <x>"), Is.EqualTo(new[] { 0, 4 }));
        Assert.That(tokenizer.IsSpecial(4), Is.True);
    }

    [Test]
    public void Tokens_with_a_role_are_special_and_added_if_no_file_lists_them()
    {
        Write("tokenizer_config.json", """
            {"bos_token": "<far>", "eos_token": {"__type": "AddedToken", "content": "<end>", "rstrip": true}, "pad_token": null,
            "add_bos_token": true,
            "additional_special_tokens": ["<one>", {"content": "<two>"}], "unk_token": "<end>"}
            """);
        var tokenizer = Open(Entry("<x>", 4));
        Assert.That(Ids(tokenizer, "<x>", "<far>", "<end>", "<one>", "<two>"), Is.EqualTo(new[] { 4, 900, 5, 6, 7 }));
        foreach (var id in (int[])[900, 5, 6, 7]) Assert.That(tokenizer.IsSpecial(id), Is.True);
        Assert.That(tokenizer.IsSpecial(4), Is.False);
    }

    [Test]
    public void A_listed_token_with_a_role_is_special()
    {
        Write("tokenizer_config.json", """{"eos_token": "<end>", "added_tokens_decoder": {"4": {"content": "<end>"}, "5": {"content": "<x>"}}}""");
        var tokenizer = Open(Entry("<end>", 4));
        Assert.That(tokenizer.IsSpecial(4), Is.True);
        Assert.That(tokenizer.IsSpecial(5), Is.False);
    }

    [Test]
    public void The_older_files_count_where_there_is_no_list_in_tokenizer_config()
    {
        Write("special_tokens_map.json", """{"eos_token": "<end>"}""");
        Write("added_tokens.json", """{"<end>": 4, "<x>": 5}""");
        var tokenizer = Open();
        Assert.That(Ids(tokenizer, "<end>", "<x>"), Is.EqualTo(new[] { 4, 5 }));
        Assert.That((tokenizer.IsSpecial(4), tokenizer.IsSpecial(5)), Is.EqualTo((true, false)));

        Write("tokenizer_config.json", """{"added_tokens_decoder": {}}""");
        Assert.That(Open().TryGetId("<x>", out _), Is.False);
    }

    [Test]
    public void A_lone_file_knows_nothing_of_its_folder()
    {
        Write("tokenizer_config.json", """{"added_tokens_decoder": {"4": {"content": "<x>"}}}""");
        Open();
        Assert.That(Tokenizer.Open(Path.Combine(folder, "tokenizer.json")).TryGetId("<x>", out _), Is.False);
    }

    [TestCase("""{"added_tokens_decoder": {"x": {"content": "a"}}}""", "added_tokens_decoder.x")]
    [TestCase("""{"added_tokens_decoder": {"99999999": {"content": "a"}}}""", "added_tokens_decoder.99999999")]
    [TestCase("""{"added_tokens_decoder": {"4": {}}}""", "added_tokens_decoder.4.content")]
    [TestCase("""{"added_tokens_decoder": {"4": 5}}""", "added_tokens_decoder.4")]
    [TestCase("""{"added_tokens_decoder": [1]}""", "added_tokens_decoder")]
    [TestCase("""{"added_tokens_decoder": {"4": {"content": "a"}, "4": {"content": "b"}}}""", "added_tokens_decoder.4")]
    [TestCase("""{"additional_special_tokens": [7]}""", "additional_special_tokens")]
    public void What_is_not_understood_is_refused_by_file_and_key(string config, string key)
    {
        Write("tokenizer_config.json", config);
        var refused = Assert.Throws<BadInputException>(() => Open())!;
        Assert.That(refused.Message, Does.Contain("tokenizer_config.json").And.Contain(key));
    }

    private Tokenizer Open(params JsonObject[] added)
    {
        File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), Json(added));
        return Tokenizer.Open(folder);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    private static Tokenizer Read(params (string Content, int Id, bool Special)[] added) =>
        Tokenizer.Read(Json([.. added.Select(token => Entry(token.Content, token.Id, token.Special))]), "tokenizer.json");

    private static int?[] Ids(Tokenizer tokenizer, params string[] tokens) =>
        Array.ConvertAll(tokens, token => tokenizer.TryGetId(token, out var id) ? id : (int?)null);

    private static byte[] Json(JsonObject[] added) => System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(added),
        ["model"] = new JsonObject
        {
            ["type"] = "WordLevel",
            ["unk_token"] = "?",
            ["vocab"] = new JsonObject { ["a"] = 0, [" "] = 1, ["?"] = 2, ["<far>"] = 900 },
        },
    });

    private static JsonObject Entry(string content, int id, bool special = false, bool strip = false) => new()
    {
        ["id"] = id, ["content"] = content, ["special"] = special, ["normalized"] = false, ["lstrip"] = strip, ["rstrip"] = strip,
        ["single_word"] = false,
    };
}
