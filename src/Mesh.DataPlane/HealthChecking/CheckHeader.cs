namespace Mesh.DataPlane.HealthChecking;

/// <summary>A header that a check adds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value, as it goes over the wire.</param>
/// <param name="Overwrites">Takes the place of one that is there, instead of joining it.</param>
/// <param name="OnlyIfAbsent">Adds nothing when there is one.</param>
/// <param name="OnlyIfPresent">Adds nothing when there is none.</param>
internal sealed record CheckHeader(string Name, string Value, bool Overwrites, bool OnlyIfAbsent, bool OnlyIfPresent)
{
    public void Apply(HttpRequestMessage request)
    {
        var present = request.Headers.NonValidated.Contains(Name);
        if (present ? OnlyIfAbsent : OnlyIfPresent)
        {
            return;
        }

        if (Overwrites)
        {
            request.Headers.Remove(Name);
        }

        if (!request.Headers.TryAddWithoutValidation(Name, Value))
        {
            request.Content?.Headers.TryAddWithoutValidation(Name, Value);
        }
    }
}
