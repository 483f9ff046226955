namespace Bookinfo.Launcher;

/// <summary>The one place that writes to the terminal, line by line.</summary>
internal sealed class LauncherConsole(TextWriter output, TextWriter error, bool colours)
{
    private const string Reset = "\u001b[0m";
    private static readonly string[] Palette = ["36", "32", "33", "35", "34", "96", "92"];
    private readonly Lock _lock = new();

    public static LauncherConsole ForTerminal() => new(
        Console.Out, Console.Error, !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));

    public void Line(string text = "")
    {
        lock (_lock)
        {
            output.WriteLine(text);
            output.Flush();
        }
    }

    public void Error(string text)
    {
        lock (_lock)
        {
            error.WriteLine(Paint(text, "31"));
            error.Flush();
        }
    }

    /// <summary>A line of a service, behind its name.</summary>
    public void Service(string name, int number, string text, bool isBad)
        => Line($"{Paint(name.PadRight(13), Palette[number % Palette.Length])} {Paint("│", "2")} {(isBad ? Paint(text, "31") : text)}");

    public string Bold(string text) => Paint(text, "1");

    public string Dim(string text) => Paint(text, "2");

    private string Paint(string text, string code) => colours ? $"\u001b[{code}m{text}{Reset}" : text;
}
