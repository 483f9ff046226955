namespace Mesh.EndToEnd.Tests.Lab;

internal static class DictionaryAssertions
{
    public static T ShouldContainKeyAnd<T>(this Dictionary<string, T> dictionary, string key)
    {
        dictionary.ShouldContainKey(key);
        return dictionary[key];
    }
}
