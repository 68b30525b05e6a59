using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// Programming languages of a text, found simply: by the tag behind the three backticks that open a block of code, by names of files
/// (<c>main.rs</c>, behind a space, a quote, a bracket or a slash), and by the interpreter in a first line that begins with <c>#!</c>. Code without
/// any of these is not recognized.
/// </summary>
internal static partial class ProgrammingLanguages
{
    // Language; tags of blocks; endings of files that hardly mean anything else.
    private static readonly (string Language, string Tags, string Endings)[] Table =
    [
        ("Ada", "ada", "adb ads"),
        ("Apex", "apex", ""),
        ("Assembly", "asm assembly nasm masm gas x86asm armasm s", "asm"),
        ("AWK", "awk gawk", "awk"),
        ("Bash", "bash sh shell zsh shell-session console", "sh bash zsh"),
        ("Batch", "bat batch cmd dos", "bat cmd"),
        ("C", "c h", ""),
        ("C#", "csharp cs c#", "cs csx"),
        ("C++", "cpp c++ cxx cc hpp", "cpp cxx hpp hxx"),
        ("Clojure", "clojure clj cljs edn", "clj cljs"),
        ("CMake", "cmake", "cmake"),
        ("COBOL", "cobol cob", "cob cbl"),
        ("CoffeeScript", "coffeescript coffee", "coffee"),
        ("Common Lisp", "lisp commonlisp common-lisp cl", "lisp"),
        ("Coq", "coq rocq", ""),
        ("Crystal", "crystal cr", ""),
        ("CSS", "css scss sass less", "css scss"),
        ("CUDA", "cuda cu", "cu cuh"),
        ("D", "d dlang", ""),
        ("Dart", "dart", "dart"),
        ("Delphi", "delphi pascal objectpascal pas", "pas dpr"),
        ("Dockerfile", "dockerfile docker", ""),
        ("Elixir", "elixir ex exs", "exs"),
        ("Elm", "elm", "elm"),
        ("Emacs Lisp", "elisp emacs-lisp", ""),
        ("Erlang", "erlang erl", "erl hrl"),
        ("F#", "fsharp fs f#", "fsx fsi"),
        ("Fortran", "fortran f90 f95", "f90 f95 f03"),
        ("GDScript", "gdscript gd", "gd"),
        ("GLSL", "glsl vert frag", "glsl"),
        ("Go", "go golang", "go"),
        ("GraphQL", "graphql gql", "graphql gql"),
        ("Groovy", "groovy gradle", "groovy gradle"),
        ("Haskell", "haskell hs", "hs lhs"),
        ("Haxe", "haxe hx", "hx"),
        ("HCL", "hcl terraform tf", "tf hcl"),
        ("HLSL", "hlsl", "hlsl"),
        ("HTML", "html htm xhtml vue svelte", "html htm vue"),
        ("Java", "java", "java"),
        ("JavaScript", "javascript js jsx node mjs", "js jsx mjs cjs"),
        ("Julia", "julia jl", "jl"),
        ("Kotlin", "kotlin kt kts", "kt kts"),
        ("LaTeX", "latex tex", "tex sty"),
        ("Lean", "lean lean4", "lean"),
        ("LLVM IR", "llvm llvm-ir ll", ""),
        ("Lua", "lua luau", "lua"),
        ("Makefile", "makefile make", "mk"),
        ("MATLAB", "matlab octave m", ""),
        ("Metal", "metal msl", "metal"),
        ("Nim", "nim", "nim"),
        ("Nix", "nix", "nix"),
        ("Objective-C", "objectivec objective-c objc obj-c", "mm"),
        ("OCaml", "ocaml ml", "mli"),
        ("Perl", "perl pl", ""),
        ("PHP", "php", "php"),
        ("Pony", "pony", ""),
        ("PowerShell", "powershell ps1 pwsh", "ps1 psm1"),
        ("Prolog", "prolog", ""),
        ("Protocol Buffers", "protobuf proto", "proto"),
        ("Python", "python py python3 ipython pycon", "py pyi ipynb"),
        ("R", "r rlang rscript", "rmd"),
        ("Racket", "racket rkt", "rkt"),
        ("Ruby", "ruby rb erb", "rb erb"),
        ("Rust", "rust rs", "rs"),
        ("Scala", "scala sc", "scala"),
        ("Scheme", "scheme scm", "scm"),
        ("Smalltalk", "smalltalk", ""),
        ("Solidity", "solidity sol", "sol"),
        ("SQL", "sql mysql postgresql postgres plsql tsql sqlite", "sql"),
        ("Swift", "swift", "swift"),
        ("SystemVerilog", "systemverilog sv verilog v", "sv svh"),
        ("Tcl", "tcl", "tcl"),
        ("TypeScript", "typescript ts tsx", "ts tsx"),
        ("VBA", "vba vbscript vbs", "bas vbs"),
        ("VHDL", "vhdl", "vhd vhdl"),
        ("Visual Basic", "vb vbnet vb.net visualbasic", "vb"),
        ("WebAssembly", "wasm wat wast", "wat wasm"),
        ("WGSL", "wgsl", "wgsl"),
        ("Zephyr", "zephyr", ""),
        ("Zig", "zig", "zig"),
    ];

    private static readonly FrozenDictionary<string, string> ByTag = By(row => row.Tags);
    private static readonly FrozenDictionary<string, string> ByEnding = By(row => row.Endings);

    /// <summary>All that are known.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Table.Select(row => row.Language)];

    /// <summary>Those of a text.</summary>
    public static IReadOnlySet<string> In(string text)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (Match block in Block().Matches(text)) Add(ByTag, block.Groups[1].Value);
        foreach (Match file in FileName().Matches(text)) Add(ByEnding, file.Groups[1].Value);
        foreach (Match line in Interpreter().Matches(text)) Add(ByTag, line.Groups[1].Value);
        return found;

        void Add(FrozenDictionary<string, string> names, string name)
        {
            if (names.TryGetValue(name.ToLowerInvariant(), out var language)) found.Add(language);
        }
    }

    private static FrozenDictionary<string, string> By(Func<(string Language, string Tags, string Endings), string> names) =>
        Table.SelectMany(row => names(row).Split(' ', StringSplitOptions.RemoveEmptyEntries), (row, name) => (name, row.Language))
            .ToFrozenDictionary(pair => pair.name, pair => pair.Language, StringComparer.Ordinal);

    [GeneratedRegex(@"^[ \t>]*(?:```|~~~)[ \t]*\{?\.?([A-Za-z][\w.+#-]{0,20})", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Block();

    [GeneratedRegex(@"(?<=[\s`'""\[/\\])[A-Za-z_][\w-]{0,60}\.([A-Za-z][\w]{0,8})(?=[\s`'"")\],:;]|\.?\s|$)", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();

    [GeneratedRegex(@"^#!\s*\S*/(?:env\s+(?:-S\s+)?)?([a-z]+)[\d.]*\b", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Interpreter();
}
