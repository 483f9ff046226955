using Mesh.Xds.Validation;
using Spectre.Console;

namespace Mesh.Cli.Output;

/// <summary>Rows in columns that line up, as <c>kubectl</c> and <c>istioctl</c> write them: for people and for <c>awk</c>.</summary>
internal sealed class Table(params string[] columns)
{
    private const int Gap = 5;
    private const int MaxCell = 400;

    private static readonly Dictionary<string, Style> Styles = new(StringComparer.Ordinal)
    {
        ["SYNCED"] = new Style(Color.Green),
        ["HEALTHY"] = new Style(Color.Green),
        ["ACTIVE"] = new Style(Color.Green),
        ["STALE"] = new Style(Color.Yellow),
        ["NACK"] = new Style(Color.Red),
        ["FAILED"] = new Style(Color.Red),
        ["UNHEALTHY"] = new Style(Color.Red),
        ["NOT SENT"] = new Style(Color.Grey),
        ["EXPIRED"] = new Style(Color.Red),
    };

    private readonly List<string[]> _rows = [];

    public int Count => _rows.Count;

    /// <summary>Adds a row. What others have written in it is made harmless for a terminal.</summary>
    public void Add(params string?[] cells)
    {
        if (cells.Length != columns.Length)
        {
            throw new ArgumentException($"a row of {cells.Length} cells for {columns.Length} columns");
        }

        _rows.Add([.. cells.Select(Printable)]);
    }

    public void Write(CliEnvironment environment)
    {
        var widths = columns.Select((column, i) => _rows.Select(row => row[i].Length).Append(column.Length).Max()).ToArray();
        var console = environment.IsTerminal ? ConsoleOf(environment) : null;
        foreach (var row in _rows.Prepend(columns))
        {
            for (var i = 0; i < row.Length; i++)
            {
                var gap = i == row.Length - 1 ? "" : new string(' ', widths[i] - row[i].Length + Gap);
                if (console is not null && !ReferenceEquals(row, columns) && Styles.TryGetValue(row[i], out var style))
                {
                    console.Write(new Text(row[i], style));
                    environment.Out.Write(gap);
                }
                else
                {
                    environment.Out.Write(row[i] + gap);
                }
            }

            environment.Out.WriteLine();
        }
    }

    private static IAnsiConsole ConsoleOf(CliEnvironment environment)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(environment.Out),
            ColorSystem = environment.Variable("NO_COLOR") is { Length: > 0 } || environment.Variable("TERM") == "dumb" ? ColorSystemSupport.NoColors : ColorSystemSupport.Standard,
        });

        // Lines are the table's business.
        console.Profile.Width = 10_000;
        return console;
    }

    private static string Printable(string? cell)
    {
        var text = PrintableText.Of(cell ?? "");
        return text.Length == 0 ? "-" : text.Length > MaxCell ? text[..(MaxCell - 1)] + "…" : text;
    }
}
