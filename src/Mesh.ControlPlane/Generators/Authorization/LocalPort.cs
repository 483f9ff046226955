using System.Globalization;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>
/// The port that a workload really listens on, and those that documents know it by: where a process takes any free port, policies speak of the
/// port that its Service declares.
/// </summary>
/// <param name="Number">The port that connections arrive at.</param>
/// <param name="Declared">What it stands for; empty: nothing but itself.</param>
internal sealed record LocalPort(uint Number, IReadOnlyList<uint> Declared)
{
    private const uint Nowhere = 0;

    /// <summary>A port as conditions on the destination ask for it.</summary>
    public uint Translate(string port)
    {
        var number = uint.Parse(port, NumberStyles.None, CultureInfo.InvariantCulture);
        return Declared.Count == 0 ? number : Declared.Contains(number) ? Number : number == Number ? Nowhere : number;
    }
}
