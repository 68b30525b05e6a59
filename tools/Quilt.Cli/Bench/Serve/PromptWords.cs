namespace Quilt.Cli.Bench.Serve;

/// <summary>Words that most tokenizers have a token for, of which prompts are made.</summary>
internal static class PromptWords
{
    /// <summary>
    /// What a text can begin with: single letters, which every tokenizer of bytes has a token for, with or without a space in front.
    /// </summary>
    public static readonly string[] Beginnings =
        [.. Enumerable.Range('a', 26).Concat(Enumerable.Range('A', 26)).Select(letter => ((char)letter).ToString())];

    /// <summary>What can follow, each with a space in front; letters first.</summary>
    public static readonly string[] Candidates = [.. Beginnings, .. """
        able about above across add after again age ago air all also always among and animal answer any appear are area arm army art ask
        at away baby back bad ball band bank bar base be bear beat bed been before began behind best better between big bird black blood
        blue board boat body book both bottom box boy break bring brown build bus but buy by call came can cannot car card care case cat
        catch center chair change check child city class clear close cold color come cook cool copy corn cost could count country course
        cover cross cry cut dance dark day deal dear death deep did different do does dog done door double down draw dream dress drink
        drive drop dry each ear early earth east easy eat edge egg eight else end energy enough even ever every example eye face fact
        fair fall family far farm fast father fear feel feet few field fight figure fill final find fine fire first fish five floor fly
        follow food foot for force form forward found four free fresh friend from front full fun game garden gas gave get girl give glad
        glass go gold gone good got gray great green ground group grow had hair half hand happen happy hard has hat have he head hear
        heart heat heavy held help her here high hill him his hit hold hole home hope horse hot hour house how human ice idea if in inch
        into iron is island it job join just keep kept key kind king knew know land large last late laugh law lay lead learn left leg
        less let level lie life light like line list little live long look lost lot loud love low machine made main make man many map
        mark mass may me mean meat meet men milk mind minute miss money month moon more most mother move much music must my name near
        neck need never new next night nine no noise north nose not note nothing now number ocean of off office oil old on once one only
        open or order other our out over own page pair paper part party pass past path pay people person place plan plant play point
        poor power press pull push put quick race rain ran read ready real red rest rich ride right ring rise river road rock roll room
        root rose round row rule run safe said salt same sand sat save saw say school sea seat see seed seem sell send sense sent set
        seven shape sharp she ship shoe shop short should show side sign silver simple sing sister sit six size skin sky sleep slow
        small snow so soft soil some son song soon sound south space speak spring star start state stay step still stone stop store
        story street strong such sugar summer sun sure table tail take talk tall teach team ten test than that the their them then there
        these they thing think this thought three through time tiny to today told too took top town travel tree true try turn two under
        unit until up us use very view visit voice wait walk wall want war warm was wash watch water wave way we week well went were
        west what wheel when where which white who whole why wide wife wild will win wind window winter wish with woman wonder wood word
        work world would write year yes yet you young your
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)];
}
