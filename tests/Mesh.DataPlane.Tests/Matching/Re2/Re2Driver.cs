using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Tests.Matching.Re2;

/// <summary>RE2 itself, as a child process that answers line by line.</summary>
internal sealed class Re2Driver : IDisposable
{
    private readonly Process _process;

    public Re2Driver(string path)
    {
        _process = Process.Start(new ProcessStartInfo(path) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"'{path}' did not start");
    }

    public async Task<Re2Answer> AskAsync(string pattern, string text, string rewrite)
    {
        await _process.StandardInput.WriteAsync($"{Encode(pattern)}\t{Encode(text)}\t{Encode(rewrite)}\n");
        await _process.StandardInput.FlushAsync();
        var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"the driver died of '{pattern}'");
        var fields = line.Split('\t');
        return fields[0] == "error"
            ? new Re2Answer(Decode(fields[1]), false, false, 0, 0, "")
            : new Re2Answer(
                null,
                fields[1] == "1",
                fields[2] == "1",
                int.Parse(fields[3], CultureInfo.InvariantCulture),
                int.Parse(fields[4], CultureInfo.InvariantCulture),
                Decode(fields[5]));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string Decode(string encoded) => Encoding.UTF8.GetString(Convert.FromBase64String(encoded));

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
