namespace Quilt.Quantizer.Report.Page;

/// <summary>How the page looks, by day and by night.</summary>
internal static class PageStyle
{
    /// <summary>Its style sheet; it holds no character that XML would take for markup.</summary>
    public const string Css = """
        :root{color-scheme:light dark;--paper:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#59636e;--line:#e1e5ea;--after:#1268b8;--before:#98a1ab;
        --third:#0b8068;--warn:#c4490f;--ok:#1a7f37;--bad:#b42318;--none:#f2c6a2;
        --h0:#e6f0f9;--h1:#c6dcef;--h2:#a1c6e4;--h3:#74add5;--h4:#4a90c2;--h5:#2a71aa;--h6:#12528a;--h7:#083468;
        --k0:#1268b8;--k1:#4fa3d8;--k2:#7b61c9;--k3:#0b8068;--k4:#d0872a;--k5:#c4490f;--k6:#98a1ab;--k7:#5b6570}
        @media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1c2026;--ink:#e4e8ec;--soft:#9aa5b1;--line:#2d343c;--after:#5cabf2;
        --before:#77828e;--third:#45c3a4;--warn:#f08c4f;--ok:#4cc26a;--bad:#ff7b6e;--none:#6b4427;
        --h0:#16283a;--h1:#1b3a57;--h2:#215078;--h3:#2b6a9b;--h4:#4088bd;--h5:#65a8d8;--h6:#97c8ec;--h7:#cfe6fa;
        --k0:#4a97dc;--k1:#8cc6ee;--k2:#a18cf0;--k3:#45c3a4;--k4:#e3a853;--k5:#f08c4f;--k6:#77828e;--k7:#aab4be}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
        main{max-width:980px;margin:0 auto;padding:44px 28px 72px}
        h1{font-size:30px;line-height:1.2;letter-spacing:-.015em;margin:0 0 10px;overflow-wrap:anywhere}
        h2{font-size:20px;letter-spacing:-.008em;margin:52px 0 6px;padding-top:18px;border-top:1px solid var(--line)}
        h3{font-size:16px;margin:28px 0 4px}
        p{margin:6px 0;max-width:72ch;overflow-wrap:anywhere}
        .lead{font-size:17px;color:var(--soft)} .look{color:var(--soft)} .small{font-size:14px;color:var(--soft)}
        figure{margin:14px 0 0;overflow-x:auto} figure svg[role]{display:block;width:100%;min-width:620px;height:auto}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(164px,1fr));gap:12px;margin:26px 0 8px}
        .tile{background:var(--card);border-radius:10px;padding:14px 16px} .tile b{display:block;font-size:23px;font-weight:600;
        letter-spacing:-.01em;font-variant-numeric:tabular-nums} .tile span{display:block;font-size:13.5px;color:var(--soft)}
        .legend{font-size:14px;margin:2px 0 6px 7.8%;max-width:none} .legend span{margin-right:22px;white-space:nowrap}
        .swatch{width:12px;height:12px;margin-right:6px;vertical-align:-1px} .legend span svg+svg{margin-left:-4px}
        table{border-collapse:collapse;font-size:14.5px;font-variant-numeric:tabular-nums;margin:12px 0 4px}
        .scroll{overflow-x:auto}
        th,td{text-align:right;white-space:nowrap;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
        th{font-weight:600;color:var(--soft);font-size:13.5px} th:first-child,td:first-child,td.text,th.text{text-align:left}
        td.text{white-space:normal;overflow-wrap:anywhere;max-width:62ch} td.yes{color:var(--ok)} td.no{color:var(--soft)}
        .s-ok{color:var(--ok)} .s-warn{color:var(--warn)} .s-fail{color:var(--bad)} .s-skipped{color:var(--soft)}
        .note{border-left:3px solid var(--warn);padding:2px 0 2px 12px;margin:10px 0}
        details{margin:12px 0} summary{cursor:pointer;color:var(--after)}
        pre{background:var(--card);border-radius:8px;padding:14px 16px;overflow-x:auto;font:13px/1.5 ui-monospace,Consolas,Menlo,monospace}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;font-size:15px;margin:12px 0} dt{color:var(--soft)}
        dd{margin:0;overflow-wrap:anywhere}
        svg text{fill:var(--soft);font-size:12.5px;font-family:inherit;font-variant-numeric:tabular-nums} svg .value{fill:var(--ink);font-size:14px}
        .end{text-anchor:end} .mid{text-anchor:middle} .grid{stroke:var(--line)} .base{stroke:var(--soft);stroke-opacity:.55}
        .after{fill:var(--after)} .before{fill:var(--before)} .third{fill:var(--third)} .warn{fill:var(--warn)} .none{fill:var(--none)}
        .line{fill:none;stroke-width:1.8;stroke-linejoin:round} .line.after{stroke:var(--after)} .line.before{stroke:var(--before)}
        .line.third{stroke:var(--third)} .line.warn{stroke:var(--warn)} .line.span{stroke-width:3;stroke-opacity:.35;stroke-linecap:round}
        .heat{shape-rendering:crispEdges} .touch{fill:transparent}
        .touch:hover{fill:var(--ink);fill-opacity:.14}
        .h0{fill:var(--h0)} .h1{fill:var(--h1)} .h2{fill:var(--h2)} .h3{fill:var(--h3)} .h4{fill:var(--h4)} .h5{fill:var(--h5)} .h6{fill:var(--h6)}
        .h7{fill:var(--h7)} .k0{fill:var(--k0)} .k1{fill:var(--k1)} .k2{fill:var(--k2)} .k3{fill:var(--k3)} .k4{fill:var(--k4)} .k5{fill:var(--k5)}
        .k6{fill:var(--k6)} .k7{fill:var(--k7)}
        @media print{main{max-width:none;padding:0} h2{break-after:avoid} figure{break-inside:avoid}}
        """;
}
