using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Languages of texts.</summary>
public sealed class LanguageTests
{
    [TestCase("The cat is on the roof, and it will not come down for as long as you look at it.", "English")]
    [TestCase("Le chat est sur le toit, et il ne descend pas pour les gens qui sont dans la rue.", "French")]
    [TestCase("Die Katze sitzt auf dem Dach und sie kommt nicht herunter, auch wenn man für sie eine Leiter holt.", "German")]
    [TestCase("El gato está en el tejado y no baja por más que lo llamen los niños que están en la calle.", "Spanish")]
    [TestCase("O gato está no telhado e não desce, por mais que os meninos da rua chamem por ele com uma voz doce.", "Portuguese")]
    [TestCase("Il gatto è sul tetto e non scende, anche se lo chiamano con una voce dolce i bambini della strada.", "Italian")]
    [TestCase("Kedi çatıda ve inmek için bir neden yok, çünkü bu gün çok güzel bir gün ve o da bunu biliyor.", "Turkish")]
    [TestCase("Кошка сидит на крыше и не хочет спускаться, как бы её ни звали из окна, что в доме у неё.", "Russian")]
    [TestCase("القطة تجلس على السطح ولا تريد النزول مهما ناداها الأطفال", "Arabic")]
    [TestCase("החתולה יושבת על הגג ולא רוצה לרדת למרות שקוראים לה", "Hebrew")]
    [TestCase("बिल्ली छत पर बैठी है और नीचे नहीं आना चाहती", "Hindi")]
    [TestCase("猫坐在屋顶上,不管孩子们怎么叫它,它都不肯下来,因为今天天气很好。", "Chinese")]
    [TestCase("猫は屋根の上に座っていて、子供たちがいくら呼んでも降りてきません。", "Japanese")]
    [TestCase("고양이는 지붕 위에 앉아 있고 아이들이 아무리 불러도 내려오지 않습니다.", "Korean")]
    [TestCase("Η γάτα κάθεται στη στέγη και δεν θέλει να κατέβει", "Greek")]
    [TestCase("แมวนั่งอยู่บนหลังคาและไม่ยอมลงมาเลย", "Thai")]
    public void Knows_a_sentence_by_its_letters_or_its_little_words(string text, string language) =>
        Assert.That(SpokenLanguages.In(text), Is.EqualTo(new[] { language }));

    [Test]
    public void Knows_two_languages_in_two_scripts() =>
        Assert.That(SpokenLanguages.In("Please translate this for me, as it is the title of the book: แมวนั่งอยู่บนหลังคาและไม่ยอมลงมาเลย"),
            Is.EqualTo(new[] { "English", "Thai" }));

    [TestCase("")]
    [TestCase("x = y + z; return 42;")]
    [TestCase("π ≈ 3.14 and Σ is a sum")]
    [TestCase("Ünïcödé")]
    public void Finds_no_language_in_scraps(string text) => Assert.That(SpokenLanguages.In(text), Is.Empty);

    [TestCase("```rust\nfn main() {}\n```", "Rust")]
    [TestCase("```C++\nint x;\n```", "C++")]
    [TestCase("  ~~~ {.objective-c}\n~~~", "Objective-C")]
    [TestCase("> ```c#\n", "C#")]
    [TestCase("Look at `main.go`, please", "Go")]
    [TestCase("see src/lib/query.sql for it", "SQL")]
    [TestCase("open \"Cargo.rs\".", "Rust")]
    [TestCase("#!/usr/bin/env python3\nprint(1)", "Python")]
    [TestCase("#!/bin/bash -e\n", "Bash")]
    public void Knows_code_by_its_tag_its_file_or_its_interpreter(string text, string language) =>
        Assert.That(ProgrammingLanguages.In(text), Is.EqualTo(new[] { language }));

    [TestCase("```\nplain\n```")]
    [TestCase("```text\nplain\n```")]
    [TestCase("self.py = a.rs(b.go)")]
    [TestCase("e.g. this, i.e. that.")]
    public void Finds_no_code_in_scraps(string text) => Assert.That(ProgrammingLanguages.In(text), Is.Empty);

    [Test]
    public void Knows_enough_languages()
    {
        Assert.That(SpokenLanguages.All, Is.Unique);
        Assert.That(ProgrammingLanguages.All, Is.Unique);
        Assert.That(SpokenLanguages.All.Count, Is.GreaterThanOrEqualTo(12));
        Assert.That(ProgrammingLanguages.All.Count, Is.GreaterThanOrEqualTo(60));
        Assert.That(ProgrammingLanguages.All.Select(name => name.ToLowerInvariant()), Is.Unique);
    }
}
